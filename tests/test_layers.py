"""The rooms see downwards only: core < ops < transforms, compile < control < numpy < facades < the package's root.

Imports are read off the syntax tree, so those inside functions count like any other. Rooms of one layer are siblings
and do not see each other; the facades are one layer whose rooms may use one another as long as no circle comes of it.
"""

import ast
import os
import subprocess
import sys
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

import xform

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "xform"

LAYERS = [("core",), ("ops",), ("transforms", "compile"), ("control",), ("numpy",)]  # lowest first
HEIGHT = {room: height for height, rooms in enumerate(LAYERS) for room in rooms}
FACADE = len(LAYERS)
TOP = FACADE + 1
TOP_ROOMS = ("__init__", "extend")  # the two doors: the public names, and the names for extenders


def height(room: str) -> int:
    """The layer of a room, counted from the bottom."""
    return TOP if room in TOP_ROOMS else HEIGHT.get(room, FACADE)


def may_see(room: str, other: str) -> bool:
    """Whether a module of `room` may import from `other`."""
    return room == other or height(other) < height(room) or height(room) == height(other) == FACADE


def room_of(module: str) -> str:
    """The room a dotted module name lies in: `xform.core.tree` in core, `xform` itself in the root."""
    parts = module.split(".")
    return parts[1] if len(parts) > 1 else "__init__"


def module_name(path: Path) -> str:
    """The dotted name of a file of the package; `xform/core/__init__.py` is `xform.core`."""
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def imported_modules(source: str, package: str) -> Iterator[tuple[int, str]]:
    """Line and absolute name of every module that `source`, lying in `package`, imports anywhere in it.

    `from xform import core` means the room and `from xform import grad` the root, so both spellings are resolved here.
    """
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Import(names=names):
                yield from ((node.lineno, alias.name) for alias in names)
            case ast.ImportFrom(module=module, names=names, level=level):
                base = package.split(".")[: len(package.split(".")) - level + 1] if level else []
                base = ".".join([*base, *([module] if module else [])])
                yield from ((node.lineno, resolve(base, alias.name)) for alias in names)
            case ast.Call(
                func=ast.Name(id="__import__" | "import_module") | ast.Attribute(attr="import_module"),
                args=[ast.Constant(value=str(name)), *_],
            ):
                yield node.lineno, name


def resolve(base: str, name: str) -> str:
    """`base.name` where that is a room of the package, else `base`."""
    is_room = base == "xform" and ((PACKAGE / name).is_dir() or (PACKAGE / f"{name}.py").is_file() or name in HEIGHT)
    return f"{base}.{name}" if is_room else base


def violations(source: str, module: str, package: str) -> list[str]:
    """What `source` imports against the order of the rooms, one sentence each."""
    room, found = room_of(module), []
    for line, name in imported_modules(source, package):
        top = name.split(".")[0]
        if top == "xform":
            if not may_see(room, room_of(name)):
                found.append(f"{module}, line {line}: {room} may not import {name}")
        elif room == "core" and top != "numpy" and top not in sys.stdlib_module_names:
            found.append(f"{module}, line {line}: core may import NumPy and the standard library only, not {name}")
    return found


def sources() -> list[tuple[str, str, str]]:
    """Source, module and package of every file of the package."""
    return [
        (path.read_text(), name, name if path.name == "__init__.py" else name.rpartition(".")[0])
        for path in sorted(PACKAGE.rglob("*.py"))
        for name in [module_name(path)]
    ]


def test_imports_point_downwards():
    files = sources()
    assert {room_of(module) for _, module, _ in files} >= {"core", "ops", "transforms", "numpy"}
    assert [fault for source, module, package in files for fault in violations(source, module, package)] == []


def test_facades_import_each_other_without_a_circle():
    graph: dict[str, set[str]] = {}
    for source, module, package in sources():
        room = room_of(module)
        if height(room) == FACADE:
            seen = {room_of(name) for _, name in imported_modules(source, package) if name.split(".")[0] == "xform"}
            graph.setdefault(room, set()).update(other for other in seen - {room} if height(other) == FACADE)
    TopologicalSorter(graph).prepare()  # raises CycleError, which names the circle


@pytest.mark.parametrize(
    "module, source",
    [
        ("xform.core.tree", "from xform.ops import add"),
        ("xform.core.tree", "def f():\n    import xform.transforms.jvp"),
        ("xform.core.tree", "from ..ops import elementwise"),
        ("xform.core.tree", "from .. import ops"),
        ("xform.core.tree", "import scipy.linalg"),
        ("xform.core.tree", "from xform import grad"),
        ("xform.ops.indexing.index", "from xform.transforms import jvp"),
        ("xform.transforms.jvp", "from xform import compile"),
        ("xform.compile.numpy", "if True:\n    from xform.transforms.vjp import vjp"),
        ("xform.control.call", "from importlib import import_module\nimport_module('xform.numpy')"),
        ("xform.numpy.products", "from xform.lax import scan"),
        ("xform.lax", "import xform"),
    ],
)
def test_an_upward_or_sideways_import_is_found(module: str, source: str):
    assert len(violations(source, module, module.rpartition(".")[0])) == 1


@pytest.mark.parametrize(
    "module, source",
    [
        ("xform.core.tree", "import numpy as np\nfrom collections import OrderedDict\nfrom . import aval"),
        ("xform.ops.indexing.index", "from xform.core.aval import Aval\nfrom ..core import tree"),
        ("xform.numpy.products", "from xform import control, core\nfrom .. import ops"),
        ("xform.compile.cc", "def blas():\n    from scipy.linalg import cython_blas"),
        ("xform.optimize", "from xform.lax import while_loop"),
        ("xform", "from xform.transforms import grad\nfrom xform import numpy"),
    ],
)
def test_a_downward_import_is_let_pass(module: str, source: str):
    assert violations(source, module, module if module == "xform" else module.rpartition(".")[0]) == []


def in_a_fresh_interpreter(code: str) -> str:
    """What `code` prints in a new interpreter that finds the package in this checkout."""
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=environment, capture_output=True, text=True, check=True
    )
    return done.stdout


def test_import_loads_nothing_optional():
    code = "import sys, numpy; before = set(sys.modules); import xform; print(*(set(sys.modules) - before))"
    loaded = in_a_fresh_interpreter(code).split()
    assert "xform.core" in loaded
    tops = {name.split(".")[0] for name in loaded}
    assert tops - sys.stdlib_module_names - {"numpy"} == {"xform"}


def test_import_costs_at_most_50_ms_beyond_numpy():
    code = "import numpy, time; start = time.perf_counter(); import xform; print(time.perf_counter() - start)"
    # Noise only ever adds, so the least of several is the estimate; a busy machine gets more tries, never more time.
    least = float("inf")
    for _ in range(20):
        least = min(least, float(in_a_fresh_interpreter(code)))
        if least <= 0.050:
            break
    assert least <= 0.050, f"import xform takes {least * 1e3:.1f} ms beyond import numpy"


def test_names_that_are_loaded_later_are_those_that_type_checkers_see():
    root = ast.parse((PACKAGE / "__init__.py").read_text())
    imports = (node for block in root.body if isinstance(block, ast.If) for node in block.body)
    seen = {name.asname or name.name for node in imports if isinstance(node, ast.ImportFrom) for name in node.names}
    assert seen == set(xform._LATER)
    # what needs an optional package must not come with `from xform import *`
    assert seen - {"scipy"} <= set(xform.__all__) <= set(dir(xform))
    assert "scipy" in dir(xform)
    assert "scipy" not in xform.__all__
    with pytest.raises(AttributeError, match="module 'xform' has no attribute 'jitt'"):
        _ = xform.jitt


@pytest.mark.parametrize("name", xform.__all__)
def test_every_public_name_is_there(name: str):
    assert getattr(xform, name) is not None
