"""The methods and attributes of ndarray, and Python's protocols, on tracers."""

import numpy as np
import pytest

import xform
import xform.numpy as xnp
from tests.numpy.agreement import check_agrees, check_derivatives
from xform.core.trace import Tracer

X = np.arange(24.0).reshape(2, 3, 4) / 7
M = np.array([[0.3, 1.2, -2.5], [0.7, 0.2, 1.9]])
V = np.array([0.3, -1.2, 2.5])
Z = np.array([0.3 + 1j, -1.2 - 0.5j, 2.5j])

#: what ndarray has and a traced array has not, with the reason
ABSENT = {
    "__array_interface__ __array_struct__ __buffer__ __dlpack__ __dlpack_device__": "there is no memory to hand out",
    "__array_finalize__ __array_wrap__ __class_getitem__": "it is no subclass of ndarray",
    "__iadd__ __isub__ __imul__ __itruediv__ __ifloordiv__ __imod__ __ipow__ __iand__ __ior__ __ixor__ __ilshift__ "
    "__irshift__ __imatmul__": "x += y makes a new value of x + y",
    "__setstate__ __reduce__": "it is not pickled",
}


def test_every_method_of_an_array_is_there():
    absent = {name for names in ABSENT for name in names.split()}
    public = {name for name in dir(np.ndarray) if name.startswith("__") or not name.startswith("_")}
    missing = {name for name in public if not hasattr(Tracer, name)} - absent
    assert sorted(missing) == []


METHODS = {
    "all": [(), (1,), ((0, 1),)],
    "any": [(), (1,), ((0, 1),)],
    "argmax": [(), (1,)],
    "argmin": [(), (-1,)],
    "argpartition": [(1,), (1, 0)],
    "argsort": [(), (0,)],
    "clip": [(0, 1), (0,), (None, 1)],
    "compress": [([True, False], 0), ([True, False, True], 1), ([False, True],)],
    "conj": [()],
    "conjugate": [()],
    "copy": [(), ("F",)],
    "cumprod": [(), (1,)],
    "cumsum": [(), (0,)],
    "diagonal": [(), (1,), (0, 1, 0)],
    "dot": [(V,), (2.0,)],
    "flatten": [(), ("F",)],
    "max": [(), (1,), (0, None, True)],
    "mean": [(), (1,), (0, "f4")],
    "min": [(), (1,)],
    "nonzero": [()],
    "prod": [(), (0,)],
    "ravel": [(), ("F",)],
    "repeat": [(2,), ([1, 2, 0], 1)],
    "reshape": [(3, 2), ((3, 2),), (-1,), (6,), ([2, -1],), (4, 2), ()],
    "round": [(), (1,)],
    "searchsorted": [([0.1],)],
    "squeeze": [(), (0,)],
    "trace": [(), (1,), (0, 1, 0)],
    "std": [(), (1,), (0, None, None, 1)],
    "sum": [(), (1,), ((0, 1),), (0, "f4"), (0, None, None, True)],
    "swapaxes": [(0, 1), (0, 2)],
    "take": [([0, 1],), ([2, 0], 1), (0, 1)],
    "transpose": [(), (1, 0), ((1, 0),), (None,), ([0, 1],), (0, 0), (0,)],
    "var": [(), (1,)],
    "astype": [("f4",), (int,), (complex,), ("f4", "C", "safe"), ("f8", "K", "no")],
    "__divmod__": [(2.0,)],
    "__matmul__": [(V,), (2.0,)],
    "__rmatmul__": [(np.ones(2),)],
    "__contains__": [(1.2,), (7.0,)],
    "__len__": [()],
}


@pytest.mark.parametrize("name", METHODS)
def test_methods_agree(name):
    blind = {"nonzero", "__contains__"}
    for args in METHODS[name]:
        a = V if name == "searchsorted" else M[:1] if name == "squeeze" else M
        check_agrees(
            lambda a, args=args: getattr(a, name)(*args),
            a,
            doors=("linearize",) if name in blind else ("linearize", "vmap"),
        )


def test_methods_of_integers():
    check_agrees(lambda i: i.choose([[1, 2, 3], [4, 5, 6]]), np.array([0, 1, 0]), doors=("vmap",))
    check_agrees(lambda i: i.searchsorted(3), np.array([1, 2, 4]), doors=("vmap",))


def test_named_arguments():
    for f in (
        lambda a: a.sum(axis=1, keepdims=True, initial=2.0, where=a > 0),
        lambda a: a.mean(axis=0, dtype="f4", keepdims=True),
        lambda a: a.std(axis=1, ddof=1, keepdims=True),
        lambda a: a.max(axis=0, initial=0.5),
        lambda a: a.reshape(3, 2, order="F"),
        lambda a: a.reshape((3, -1), order="A"),
        lambda a: a.reshape(-1, order="F"),
        lambda a: a.ravel(order="F"),
        lambda a: a.repeat(repeats=2, axis=0),
        lambda a: a.take(indices=[0], axis=1, mode="clip"),
        lambda a: a.astype(dtype="f4", copy=False),
        lambda a: a.clip(min=0, max=1),
        lambda a: a.clip(max=1),
        lambda a: a.round(decimals=1),
        lambda a: a.argmax(axis=1, keepdims=True),
    ):
        check_agrees(f, M)


ATTRIBUTES = ["T", "mT", "real", "imag", "shape", "ndim", "size", "dtype", "itemsize", "nbytes", "device"]


@pytest.mark.parametrize("name", ATTRIBUTES)
@pytest.mark.parametrize("a", [M, V, X, Z, np.float32(1.5)], ids=lambda a: str(np.shape(a)))
def test_attributes_agree(name, a):
    if name == "device" and np.lib.NumpyVersion(np.__version__) < "2.1.0":
        return
    check = [np.asarray(a)]
    for transform in (lambda f: xform.linearize(f, *check), lambda f: xform.make_jaxpr(f)(*check)):

        def f(x):
            if name in ("T", "mT", "real", "imag") and not (name == "mT" and a.ndim < 2):
                assert np.shape(getattr(x, name)) == np.shape(getattr(check[0], name))
                assert getattr(x, name).dtype == getattr(check[0], name).dtype
            elif name != "mT":
                assert getattr(x, name) == getattr(check[0], name)
            return x

        transform(f)
    if name in ("T", "real", "imag") or (name == "mT" and a.ndim > 1):
        check_agrees(lambda a: getattr(a, name), np.asarray(a))


def test_a_vector_has_no_matrix_transpose():
    with pytest.raises(ValueError, match="at least 2-dimensional"):
        xform.grad(lambda x: x.mT.sum())(V)


def test_flat_entries():
    check_agrees(lambda a: a.flat[4], M)
    check_agrees(lambda a: a.flat[1:3], M)
    assert xform.grad(lambda x: sum(v * v for v in x.flat))(M).shape == M.shape


def test_rows():
    assert xform.grad(lambda x: sum((row * row).sum() for row in x))(M).tolist() == (2 * M).tolist()
    assert xform.grad(lambda x: next(reversed(x)))(V).tolist() == [0, 0, 1]
    assert xform.grad(lambda x: (lambda a, b, c: a * b)(*x))(V).tolist() == [-1.2, 0.3, 0]
    for f in (list, len):
        with pytest.raises(TypeError, match=r"0-d|unsized"):
            xform.grad(f)(1.0)


# --- refused ---


@pytest.mark.parametrize(
    "name, args, remedy",
    [
        ("resize", (2,), "x = numpy.resize(x, shape)"),
        ("setfield", (1.0, float), "x[...] = value"),
        ("byteswap", (True,), "x as it is"),
        ("setflags", (False,), "x as it is"),
    ],
)
def test_methods_that_change_an_array_are_refused(name, args, remedy):
    for transform in (xform.grad, xform.vmap, xform.make_jaxpr):
        with pytest.raises(xform.TracerAssignmentError) as caught:
            transform(lambda x: getattr(x, name)(*args))(V if transform is not xform.vmap else M)
        for part in (f"the method {name} cannot be used on a traced array of f64[3]", "test_methods.py:", remedy):
            assert part in str(caught.value)


@pytest.mark.parametrize(
    "name, args, remedy",
    [
        ("item", (0,), "int(x) where the derivative is not wanted"),
        ("tolist", (), "list(x) for a list of traced values"),
        ("tobytes", (), "x as it is"),
        ("tofile", ("f",), "has_aux=True"),
        ("dump", ("f",), "has_aux=True"),
        ("dumps", (), "has_aux=True"),
        ("view", (int,), "x.astype(dtype)"),
        ("getfield", (float,), "x.real and x.imag"),
    ],
)
def test_methods_that_hand_out_entries_are_refused(name, args, remedy):
    for transform in (xform.grad, xform.vmap, xform.make_jaxpr):
        with pytest.raises(xform.ConcretizationError) as caught:
            transform(lambda x: getattr(x, name)(*args))(V if transform is not xform.vmap else M)
        for part in (
            f"the method {name} would hand out the entries",
            "test_methods.py:",
            "lose its derivative",
            remedy,
        ):
            assert part in str(caught.value)


@pytest.mark.parametrize("name", ["base", "ctypes", "data", "flags", "strides"])
def test_there_is_no_memory(name):
    def f(x):
        assert not hasattr(x, name)
        with pytest.raises(AttributeError, match=f"has no place in memory, so no `{name}`"):
            getattr(x, name)
        return x.sum()

    xform.grad(f)(V)


@pytest.mark.parametrize("name", ["shape", "dtype", "T"])
def test_attributes_are_not_assigned(name):
    with pytest.raises(AttributeError):
        xform.grad(lambda x: setattr(x, name, x))(V)


def test_options_that_write_are_refused():
    for f in (
        lambda x: x.sum(out=V),
        lambda x: x.clip(0, 1, out=V),
        lambda x: x.take([0], out=V),
        lambda x: x.dot(x, V),
    ):
        with pytest.raises((TypeError, xform.ConcretizationError), match=r"out="):
            xform.grad(f)(V)


def test_devices():
    check_agrees(lambda x: x.to_device("cpu"), V) if hasattr(V, "to_device") else None
    with pytest.raises(ValueError, match="wanted 'cpu'"):
        xform.grad(lambda x: x.to_device("gpu").sum())(V)


def test_namespace():
    def f(x):
        assert x.__array_namespace__() is xnp
        return x.__array_namespace__().sum(x)

    assert xform.grad(f)(V).tolist() == [1, 1, 1]


# --- operators ---

BINARY = ["+", "-", "*", "/", "//", "%", "**", "<", "<=", ">", ">=", "==", "!="]


@pytest.mark.parametrize("op", [*BINARY, "@"])
def test_operators_with_all_kinds_of_numbers(op):
    f = eval(f"lambda a, b: a {op} b")
    others = (
        [V + 3, [1.0, 2, 3], (1, 2, 3)] if op == "@" else [2, 2.5, True, np.float32(2), np.int8(2), V + 3, [1, 2, 3]]
    )
    for other in others:
        for a in (np.abs(V), np.abs(V).astype("f4")):
            check_agrees(lambda a, other=other: f(a, other), a, ulps=64)
            check_agrees(lambda a, other=other: f(other, a), a, ulps=64)
    if op not in ("//", "%", "<", "<=", ">", ">="):
        check_agrees(lambda a: f(a, 2j) if op != "@" else f(a, Z), V)


@pytest.mark.parametrize("op", ["&", "|", "^", "<<", ">>"])
def test_operators_of_integers(op):
    f = eval(f"lambda a, b: a {op} b")
    check_agrees(f, np.array([6, 4, 9]), np.array([1, 2, 3]), doors=("vmap",))
    check_agrees(lambda a: f(12, a), np.array([1, 2, 3]), doors=("vmap",))


def test_unary_operators():
    check_agrees(lambda a: (-a, +a, abs(a)), V)
    check_agrees(lambda a: ~a, np.array([1, 2]), doors=("vmap",))
    check_agrees(lambda a: ~(a > 0), V)


DERIVATIVES = {
    "T": lambda x: x.T @ x,
    "mean": lambda x: x.mean(axis=0) ** 2,
    "std": lambda x: x.std(axis=1),
    "var": lambda x: x.var(axis=0, ddof=1),
    "prod": lambda x: x.prod(axis=1),
    "cumprod": lambda x: x.cumprod(axis=1),
    "max": lambda x: x.max(axis=1) ** 2,
    "diagonal": lambda x: x.diagonal() ** 3,
    "take": lambda x: x.take([0, 2, 2], axis=1) ** 2,
    "compress": lambda x: x.compress([True, False, True], axis=1) ** 2,
    "dot": lambda x: x.dot(x.T),
    "repeat": lambda x: x.repeat(3) ** 2,
    "clip": lambda x: x.clip(-1, 1) ** 2,
    "flatten": lambda x: x.flatten("F") ** 2,
    "reshape": lambda x: x.reshape(3, 2, order="F") @ x,
    "matmul": lambda x: x @ V + V @ x.T,
    "divmod": lambda x: divmod(x, 0.8)[1] ** 2,
    "astype": lambda x: x.astype(complex).real ** 2,
    "square of parts": lambda x: (x * 1j).imag ** 2,
}


@pytest.mark.parametrize("name", DERIVATIVES)
def test_derivatives(name):
    check_derivatives(DERIVATIVES[name], M)
