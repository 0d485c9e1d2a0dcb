"""Tracebacks show the user's lines in order, without the frames of xform; switchable."""

import inspect
import os
import subprocess
import sys
import threading
import traceback
from pathlib import Path

import numpy as np
import pytest

import xform
from xform.core.errors import PACKAGE


def mistaken(y):
    return np.reshape(y, (7,))


def program(x):
    return np.sum(mistaken(np.sin(x)))


def caught(call):
    with pytest.raises(Exception) as info:  # noqa: PT011 - any error, whose traceback is the subject
        call()
    return info.value


def frames_of(error):
    return [(f.f_code.co_filename, f.f_code.co_name) for f, _ in traceback.walk_tb(error.__traceback__)]


def names_of(error):
    """The functions in the traceback from the call in this file on, library frames by their file."""
    return [name if file == __file__ else os.path.basename(file) for file, name in frames_of(error)[1:]]


def ours(error):
    return [file for file, _ in frames_of(error) if file.startswith(PACKAGE)]


x = np.ones(3)
CALLS = {
    "grad": lambda: xform.grad(program)(x),
    "value_and_grad": lambda: xform.value_and_grad(program)(x),
    "jvp": lambda: xform.jvp(program, (x,), (x,)),
    "vjp": lambda: xform.vjp(program, x),
    "linearize": lambda: xform.linearize(program, x),
    "linear_transpose": lambda: xform.linear_transpose(lambda x: mistaken(2.0 * x), x),
    "vmap": lambda: xform.vmap(program)(np.ones((2, 3))),
    "jet": lambda: xform.jet(program, (x,), ((x,),)),
    "make_jaxpr": lambda: xform.make_jaxpr(program)(x),
    "eval_shape": lambda: xform.eval_shape(program, x),
    "jacfwd": lambda: xform.jacfwd(program)(x),
    "jacrev": lambda: xform.jacrev(program)(x),
    "jacobian": lambda: xform.jacobian(program)(x),
    "hessian": lambda: xform.hessian(program)(x),
    "hvp": lambda: xform.hvp(program, (x,), (x,)),
    "sparsity_pattern": lambda: xform.sparsity_pattern(program, x),
}


@pytest.mark.parametrize("way", CALLS)
def test_only_the_users_frames_are_shown(way):
    error = caught(CALLS[way])
    assert ours(error) == []
    inside = "<lambda>" if way == "linear_transpose" else "program"
    assert names_of(error) == ["<lambda>", inside, "mistaken"]
    assert type(error) is ValueError
    assert "reshape" in str(error)
    text = "".join(traceback.format_exception(error))
    assert text.count("xform.full_tracebacks()") == 1
    assert text.index("in program" if inside == "program" else "mistaken(2.0 * x)") < text.index("in mistaken")


def test_nested_transformations_show_every_level_once():
    def inner(y):
        return program(y * x)

    def outer(z):
        return np.sum(xform.grad(inner)(z))

    error = caught(lambda: xform.vmap(xform.grad(outer))(np.ones((2, 3))))
    assert names_of(error) == ["<lambda>", "outer", "inner", "program", "mistaken"]
    assert len(error.__notes__) == 1


@pytest.mark.parametrize(
    "call, error",
    [
        (lambda: xform.grad(3), TypeError),
        (lambda: xform.grad(np.sum)("a"), TypeError),
        (lambda: xform.vjp(np.sin, 1.0)[1]((1.0, 2.0)), TypeError),
        (lambda: xform.linearize(np.sin, 1.0)[1](np.ones(3)), TypeError),
        (lambda: xform.linear_transpose(lambda x: x * 2.0, 1.0)("a"), TypeError),
        (lambda: xform.vmap(np.sin)(1.0), ValueError),
        (lambda: xform.hvp(np.sin, 1.0, 1.0), TypeError),
    ],
)
def test_a_wrong_use_ends_at_the_users_line(call, error):
    found = caught(call)
    assert isinstance(found, error)
    assert names_of(found) == ["<lambda>"]


def test_type_cause_context_and_notes_are_kept():
    cause, attribute = ValueError("cause"), object()

    def f(x):
        error = KeyError("mine")
        error.add_note("a note")
        error.attribute = attribute
        raise error from cause

    def g(x):
        try:
            return mistaken(x)
        except ValueError:
            raise RuntimeError("second")  # noqa: B904 - the implicit context is the subject

    error = caught(lambda: xform.grad(f)(1.0))
    assert type(error) is KeyError
    assert error.args == ("mine",)
    assert error.__cause__ is cause
    assert error.attribute is attribute
    assert error.__notes__[0] == "a note"
    error = caught(lambda: xform.grad(g)(x))
    assert isinstance(error.__context__, ValueError)
    assert ours(error.__context__) == []
    assert names_of(error.__context__) == ["mistaken"]
    assert error.__cause__ is None


def test_numpys_frames_stay_where_the_user_called_numpy():
    def plain(x):
        return np.linalg.inv(np.zeros((2, 2))) * x

    def traced(x):
        return np.linalg.inv(x)

    assert names_of(caught(lambda: xform.grad(plain)(1.0)))[:2] == ["<lambda>", "plain"]
    assert "_linalg.py" in names_of(caught(lambda: xform.grad(plain)(1.0)))
    assert names_of(caught(lambda: xform.grad(traced)(np.zeros((2, 2))))) == ["<lambda>", "traced"]


def test_errors_that_the_function_handles_do_not_matter():
    def f(x):
        with pytest.raises(ValueError, match="reshape") as info:
            xform.grad(program)(x)
        assert ours(info.value) == []
        return np.sum(x)

    assert xform.grad(f)(x).tolist() == [1.0, 1.0, 1.0]


def test_switches():
    with xform.full_tracebacks():
        error = caught(CALLS["grad"])
        assert len(ours(error)) > 3
        assert not hasattr(error, "__notes__")
    assert ours(caught(CALLS["grad"])) == []
    assert xform.config.traceback_filtering
    xform.config.traceback_filtering = False
    try:
        assert ours(caught(CALLS["grad"]))
        found = []
        thread = threading.Thread(target=lambda: found.append(len(ours(caught(CALLS["grad"])))))
        thread.start()
        thread.join()
        assert found[0] > 3
    finally:
        xform.config.traceback_filtering = True
    assert ours(caught(CALLS["grad"])) == []


@pytest.mark.parametrize("value, shown", [("full", True), ("", False)])
def test_environment_variable(value, shown):
    code = "import numpy as np, xform\nxform.grad(lambda x: np.reshape(x, (7,)))(1.0)"
    root = Path(__file__).resolve().parent.parent
    environment = os.environ | {"XFORM_TRACEBACK": value}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=root, env=environment, capture_output=True, text=True, check=False
    )
    assert (PACKAGE in done.stderr) is shown
    assert ("Frames of xform are hidden" in done.stderr) is not shown


def test_wrapped_functions_keep_their_names_and_signatures():
    assert xform.grad(program).__name__ == "program"
    assert list(inspect.signature(xform.vjp).parameters) == ["f", "primals", "has_aux"]
    assert list(inspect.signature(xform.grad(program)).parameters) == ["x"]
    assert xform.grad.__doc__.startswith("A function that evaluates the gradient")
    assert xform.vjp(np.sin, 1.0)[1].__name__ == "pullback"
