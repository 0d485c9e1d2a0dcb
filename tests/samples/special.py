"""Special functions: a point of each, in the order of their ufuncs' arguments.

Python numbers are constants: arguments in which there is no derivative, or none that is known.
"""

import numpy as np

from tests.samples.base import sample
from xform.core.primitive import Primitive
from xform.scipy.special import spherical  # of which the import declares all primitives of the package


def a(*values: float) -> np.ndarray:
    return np.array(values)


def each(names: list[str], points: list[tuple]) -> dict[str, list[tuple]]:
    return dict.fromkeys(names, points)


X = a(0.4, 1.7)  # arguments
P = a(0.3, 0.8)  # probabilities
U = a(0.9, 2.3)  # positive parameters
V = a(1.6, 0.7)
Z = a(0.4 + 0.3j, 1.2 - 0.5j)
N = np.array([2, 3])

SPHERICAL = spherical.spherical_jn, spherical.spherical_yn, spherical.spherical_in, spherical.spherical_kn

#: by primitive
POINTS: dict[str, list[tuple]] = {
    # the gamma function and its relatives
    **each(["gammaln", "gammasgn"], [(a(0.4, -1.3),)]),
    **each(["gamma", "rgamma", "psi"], [(a(0.4, -1.3),), (Z,)]),
    "loggamma": [(X,), (Z,)],
    "polygamma": [(1, X), (np.array([2, 0]), X)],
    "polygamma_difference": [(0, U, V), (1, U, V)],
    "poch": [(a(0.4, -1.3), U), (a(-2.0, 1.5), 2.0)],
    "binom": [(a(5.2, 0.7), U)],
    **each(["beta", "betaln"], [(U, V)]),
    **each(["gammainc", "gammaincc", "chdtr", "chdtrc"], [(a(0.9, 2.3, 4.0), a(0.4, 5.7, 2.0))]),
    **each(["gammaincinv", "gammainccinv", "chdtri"], [(U, P)]),
    "gammainc_parameter": [(1, U, X), (2, U, X)],
    **each(["betainc", "betaincc", "betaincinv", "betainccinv", "fdtri"], [(U, V, P)]),
    **each(["fdtr", "fdtrc"], [(U, V, a(0.4, 3.0))]),
    "betainc_parameters": [(1, 0, U, V, P), (0, 1, U, V, P)],
    "btdtria": [(P, V, a(0.4, 0.6))],
    "btdtrib": [(U, P, a(0.4, 0.6))],
    # the error function and its relatives
    **each(["erf", "erfc", "erfcx", "dawsn", "log_ndtr", "normal_hazard"], [(a(0.4, -1.3),), (Z,)]),
    **each(["erfi", "ndtr"], [(X,), (Z,)]),
    **each(["erfinv", "ndtri", "logit", "kolmogi"], [(P,)]),
    "erfcinv": [(P,)],
    "ndtri_exp": [(a(-0.4, -30.0),)],
    "wofz": [(Z,)],
    **each(["fresnel_s", "fresnel_c"], [(X,), (Z,)]),
    **each([f"modfresnel{s}_{k}" for s in "pm" for k in "fk"], [(X,)]),
    "faddeeva_derivative": [(1, Z), (2, 9 * Z)],
    "dawsn_derivative": [(1, a(0.4, -9.3)), (2, Z)],
    "mills_ratio": [(0, a(0.4, -9.3)), (1, a(2.4, 12.0))],
    "owens_t": [(a(0.4, -1.3), a(0.7, 1.6))],
    "voigt_profile": [(a(0.4, -1.3), U, V)],
    "nrdtrimn": [(P, U, X)],
    "nrdtrisd": [(a(0.4, 0.1), a(0.7, 0.9), a(1.1, 1.7))],
    # Bessel functions
    **each(["jv", "yv", "iv", "kv", "kve"], [(0.7, X), (1, X), (0.5, Z)]),
    **each(["jve", "yve", "ive"], [(1, X)]),
    **each(["kn", "yn"], [(N, X)]),
    **each(["hankel1", "hankel2", "hankel1e", "hankel2e"], [(0.7, Z)]),
    **each(["j0", "j1", "i0", "i1", "i0e", "i1e", "y0", "y1", "k0", "k1", "k0e", "k1e"], [(X,)]),
    **each(["wright_bessel", "log_wright_bessel"], [(np.array(1), N, X)]),
    "besselpoly": [(X, np.array(1), N)],
    **each(["struve", "modstruve"], [(np.array([0, 2]), X)]),
    **each([p.name for p in SPHERICAL], [(0, X), (2, Z)]),
    "sph_harm_y": [(N, np.array([1, -3]), X, a(-0.4, 1.1))],
    # Airy's, Kelvin's and other waves
    **each(["airy_ai", "airy_ai_prime", "airy_bi", "airy_bi_prime"], [(a(0.4, -1.3),), (Z,)]),
    **each(["airye_ai", "airye_ai_prime", "airye_bi", "airye_bi_prime"], [(X,)]),
    **each(["itairy_ai", "itairy_bi", "itairy_ai_minus", "itairy_bi_minus"], [(X,)]),
    **each(["ber", "bei", "ker", "kei", "berp", "beip", "kerp", "keip"], [(X,)]),
    **{f"{f}_{k}": [(1.5, X)] for f in ("pbdv", "pbvv", "pbwa") for k in ("value", "slope")},
    **{f"mathieu_{f}_{k}": [(2, 1.5, 20 * X)] for f in ("cem", "sem") for k in ("value", "slope")},
    **{f"mathieu_mod{f}_{k}": [(2, 1.5, X)] for f in ("cem1", "cem2", "sem1", "sem2") for k in ("value", "slope")},
    **{f"{f}_ang1_{k}": [(1, 2, 1.5, P)] for f in ("pro", "obl") for k in ("value", "slope")},
    **{f"{f}_rad1_{k}": [(1, 2, 1.5, a(1.3, 1.7))] for f in ("pro", "obl") for k in ("value", "slope")},
    # integrals
    **each(["exp1", "expi", "spence"], [(X,), (Z,)]),
    **each(
        ["sine_integral", "cosine_integral", "hyperbolic_sine_integral", "hyperbolic_cosine_integral"], [(X,), (Z,)]
    ),
    "expn": [(np.array([2, 0]), X)],
    **each(["itj0", "ity0", "iti0", "itk0", "it2j0", "it2y0", "it2i0", "it2k0"], [(a(0.4, 2.7),)]),
    **each(["itstruve0", "it2struve0", "itmodstruve0"], [(a(0.4, 2.7),)]),
    # elliptic integrals and functions
    **each(["ellipk", "ellipe", "ellipkm1"], [(P,)]),
    **each(["ellipkinc", "ellipeinc"], [(a(0.7, 2.2), P)]),
    **each(["ellipj_sn", "ellipj_cn", "ellipj_dn", "ellipj_ph"], [(a(0.7, 2.2), P)]),
    "elliprc": [(U, V)],
    **each(["elliprf", "elliprd", "elliprg"], [(U, V, P)]),
    "elliprj": [(U, V, P, a(1.1, 0.6))],
    "carlson_derivative": [(0, 1, 0, 1, U, V, P, a(1.1, 0.6)), (0, 0, 2, 0, U, V, P, 1.0)],
    "agm": [(U, V)],
    # hypergeometric functions and polynomials
    "hyp0f1": [(0.7, X), (0.7, Z)],
    "hyp1f1": [(0.7, 1.6, X), (0.7, 1.6, Z)],
    "hyp2f1": [(N, N, N + 1, P), (N, N, N + 1, Z / 3)],
    "hyperu": [(0.7, 1.6, X)],
    **each(
        [f"eval_{f}" for f in ("legendre", "sh_legendre", "chebyt", "chebyu", "chebyc", "chebys", "sh_chebyt")],
        [(np.array([3, 0]), P)],
    ),
    **each(["eval_sh_chebyu", "eval_laguerre", "eval_hermite", "eval_hermitenorm"], [(np.array([3, 0]), P)]),
    **each(["eval_gegenbauer", "eval_genlaguerre"], [(N, N, P)]),
    **each(["eval_jacobi", "eval_sh_jacobi"], [(N, N, N, P)]),
    "lpmv": [(1, 2.0, P), (0, 2.0, P)],
    # zeta functions and Lambert's
    "zeta_order": [(1, a(2.3, 0.4), U)],
    "hurwitz_zeta": [(a(2.3, 3.4), U)],
    **each(["riemann_zeta", "zetac"], [(a(2.3, -1.4),)]),
    "lambertw": [(X, 0, 1e-8), (Z, 1, 1e-8)],
    "wrightomega": [(X,), (Z,)],
    # logistic functions, powers, entropies
    **each(["expit", "log_expit", "exp10", "cosm1", "exprel"], [(a(0.4, -1.3),)]),
    "round_half_even": [(X,)],
    **each(["xlogy", "xlog1py"], [(X, U), (Z, Z)]),
    "entr": [(X,)],
    **each(["rel_entr", "kl_div", "powm1"], [(X, U)]),
    "huber": [(a(0.9, 2.3), a(-1.7, 0.4))],
    "pseudo_huber": [(a(0.9, 2.3), a(-1.7, 0.4))],
    **each(["boxcox", "boxcox1p"], [(X, a(0.4, 1.7))]),
    **each(["inv_boxcox", "inv_boxcox1p"], [(X, a(0.4, 1.7))]),
    "radian": [(X, U, V)],
    **each(["sindg", "cosdg", "tandg", "cotdg"], [(a(20.0, 70.0),)]),
    # distributions
    **each(["gdtr", "gdtrc"], [(U, V, X)]),
    "gdtria": [(P, V, X)],
    "gdtrib": [(U, P, X)],
    "gdtrix": [(U, V, P)],
    "chdtriv": [(P, U)],
    "fdtridfd": [(a(2.0, 5.0), a(0.4, 0.6), a(0.6, 1.3))],
    "stdtr": [(U, a(0.4, -1.7))],
    "stdtrit": [(U, P)],
    "stdtridf": [(a(0.8, 0.1), a(0.95, -1.5))],
    "stdtr_freedom": [(1, U, a(0.4, -1.7)), (1, a(120.0, 90.0), a(0.4, -1.7))],
    **each(["bdtr", "bdtrc", "bdtri", "nbdtr", "nbdtrc", "nbdtri"], [(N, N + 2, P)]),
    **each(["pdtr", "pdtrc"], [(2, X)]),
    "pdtri": [(N, P)],
    "pdtrik": [(a(0.6, 0.8), X)],
    "bdtrik": [(a(0.6, 0.8), a(7.2, 9.0), a(0.4, 0.6))],
    "bdtrin": [(a(2.2, 3.0), a(0.6, 0.8), a(0.4, 0.6))],
    "nbdtrik": [(a(0.6, 0.8), a(3.2, 4.0), a(0.4, 0.6))],
    "nbdtrin": [(a(2.2, 3.0), a(0.6, 0.8), a(0.4, 0.6))],
    "chndtr": [(X, 2.3, U)],
    "chndtrix": [(P, 2.3, U)],
    "chndtrinc": [(a(2.4, 3.7), 2.3, a(0.3, 0.4))],
    "kolmogorov": [(a(0.6, 1.2),)],
    "smirnov": [(N + 2, P)],
    "smirnovi": [(N + 2, a(0.3, 0.15))],
    "smirnov_derivative": [(1, 5, P)],
    "tklmbda": [(a(0.4, -1.1), a(0.4, -0.7))],
}

#: of which SciPy's values have too few digits for finite differences
ROUGH = {"itairy_ai", "itairy_bi", "itairy_ai_minus", "itairy_bi_minus", "fdtri", "fdtridfd", "stdtridf"}
#: of which SciPy's values are less accurate for complex numbers than complex steps need: smooth at complex points only
SPLIT = {"gamma", "rgamma", "jv", "yv", "spherical_jn", "spherical_yn"}
SPLIT |= {"airy_ai", "airy_ai_prime", "airy_bi", "airy_bi_prime", "expi", "hyp2f1"}
SPLIT |= {"sine_integral", "cosine_integral", "hyperbolic_sine_integral", "hyperbolic_cosine_integral"}


def is_smooth(name: str, args: tuple) -> bool:
    return name not in ROUGH and (name not in SPLIT or np.iscomplexobj(args[-1]))


SAMPLES = [
    sample(Primitive.registry[name], *args, smooth=is_smooth(name, args))
    for name, rows in POINTS.items()
    for args in rows
]
