"""What is loaded later: both doors lead to it, and type checkers see it."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import xform.numpy as xnp
from xform.numpy import later


def test_type_checkers_see_the_same_names():
    root = ast.parse(Path(xnp.__file__).read_text())
    imports = [node for block in root.body if isinstance(block, ast.If) for node in block.body]
    seen = {
        name.asname or name.name: node.module
        for node in imports
        if isinstance(node, ast.ImportFrom)
        for name in node.names
    }
    assert seen == {**later.NAMES, **dict.fromkeys(later.MODULES, "xform.numpy")}
    assert set(seen) <= set(xnp.__all__) <= set(dir(xnp))


def test_nothing_of_it_is_loaded_before():
    parts = sorted({*later.NAMES.values(), *later.MODULES.values()})
    code = f"import sys, xform; print([name for name in {parts} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


@pytest.mark.parametrize(
    "expression",
    [
        "xform.grad(lambda x: 3 * np.polyval([1.0, 1.0], x))(2.0)",
        "xform.grad(lambda x: np.emath.sqrt(x) ** 3)(4.0)",
        "xform.grad(lambda x: 3 * np.frompyfunc(lambda a: a, 1, 1)(x))(4.0)",
        "xform.grad(lambda x: (lambda f: f(x))(xform.numpy.vectorize(lambda a: 3 * a)))(4.0)",
    ],
)
def test_either_door_leads_to_it(expression):
    code = f"import xform, numpy as np; print(float({expression}))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "3.0\n"


def test_a_name_that_is_not_there():
    with pytest.raises(AttributeError, match=r"module 'xform\.numpy' has no attribute 'vectorise'"):
        _ = xnp.vectorise
    assert later.load_counterpart(len) is False
