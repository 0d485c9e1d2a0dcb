"""Every ufunc of scipy.special has rules, or is in the list below with the reason why it has none."""

import subprocess
import sys

import numpy as np
import pytest
import scipy.special as sp

import xform
from tests.messages import says
from xform.numpy.dispatch import IMPLEMENTATIONS
from xform.ops.elementwise import BY_UFUNC
from xform.scipy import special

UFUNCS = sorted(name for name in dir(sp) if isinstance(getattr(sp, name), np.ufunc))

#: no closed form is known
UNKNOWN = "no derivative is known in any argument but by differences"
INACCURATE = "the values of SciPy's second radial functions are wrong in their first digits"
UNENDING = "takes a characteristic value; for some that are none SciPy's iteration does not end"
WITHOUT_RULES = {
    **dict.fromkeys(["mathieu_a", "mathieu_b", "pro_cv", "obl_cv"], "characteristic values: " + UNKNOWN),
    **dict.fromkeys(["ncfdtr", "ncfdtri", "ncfdtridfd", "ncfdtridfn", "ncfdtrinc"], UNKNOWN),
    **dict.fromkeys(["nctdtr", "nctdtridf", "nctdtrinc", "nctdtrit"], UNKNOWN),
    "chndtridf": "the inverse in the one parameter of chndtr in which no derivative is known",
    **dict.fromkeys(["pro_rad2", "obl_rad2"], INACCURATE),
    **dict.fromkeys(["pro_rad2_cv", "obl_rad2_cv"], INACCURATE),
    **dict.fromkeys(["pro_ang1_cv", "obl_ang1_cv", "pro_rad1_cv", "obl_rad1_cv"], UNENDING),
}


def has_rules(name: str) -> bool:
    ufunc = getattr(sp, name)
    return ufunc in BY_UFUNC or ufunc in IMPLEMENTATIONS


def test_every_ufunc_has_rules_or_a_reason():
    assert [name for name in UFUNCS if not has_rules(name)] == sorted(set(WITHOUT_RULES) & set(UFUNCS))


@pytest.mark.parametrize("name", ["nctdtr", "mathieu_a"])
def test_those_without_rules_say_so(name):
    ufunc = getattr(sp, name)
    with says(TypeError, name, "no derivative rule", "xform.extend"):
        xform.grad(lambda x: ufunc(*[x] * ufunc.nin))(1.0)


def test_the_names_of_scipy_are_there():
    assert [name for name in sp.__all__ if not hasattr(special, name)] == []
    assert set(sp.__all__) <= set(dir(special))
    assert special.gammaln is sp.gammaln
    assert special.logsumexp is not sp.logsumexp
    with says(AttributeError, "xform.scipy.special", "gamam"):
        _ = special.gamam


JAX_NAMES = {
    *("bernoulli", "bessel_jn", "beta", "betainc", "betaln", "boxcox", "boxcox1p", "comb", "dawsn", "digamma", "entr"),
    *("erf", "erfc", "erfcx", "erfinv", "exp1", "expi", "expit", "expn", "factorial", "fresnel", "gamma", "gammainc"),
    *("gammaincc", "gammaln", "gammasgn", "hyp1f1", "hyp2f1", "i0", "i0e", "i1", "i1e", "kl_div", "log_ndtr"),
    *("log_softmax", "loggamma", "logit", "logsumexp", "multigammaln", "ndtr", "ndtri", "owens_t", "poch", "polygamma"),
    *("rel_entr", "sici", "softmax", "spence", "sph_harm_y", "wofz", "xlog1py", "xlogy", "zeta"),
}


def test_the_names_of_jax_are_there():
    assert [name for name in JAX_NAMES if not callable(getattr(special, name, None))] == []


def test_a_ufunc_of_scipy_finds_its_rules_by_itself():
    code = (
        "import sys, scipy.special, xform\n"
        "assert 'xform.scipy' not in sys.modules\n"
        "print(float(xform.grad(scipy.special.gammaln)(2.0)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert float(done.stdout) == sp.psi(2.0)


def test_scipy_that_is_missing_is_named():
    code = (
        "import importlib.util as util\n"
        "find = util.find_spec\n"
        "util.find_spec = lambda name, *rest: None if name == 'scipy' else find(name, *rest)\n"
        "import xform\n"
        "try:\n    xform.scipy\nexcept ImportError as error:\n    print(error)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "pip install 'xform[scipy]'" in done.stdout


def test_a_module_that_is_not_there_is_named():
    with says(AttributeError, "xform.scipy", "spezial", "special"):
        _ = xform.scipy.spezial
