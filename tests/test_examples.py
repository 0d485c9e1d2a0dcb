"""Every example runs as its user runs it, in an interpreter of its own, short but real, and ends in an assertion."""

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
EXAMPLES = sorted((ROOT / "examples").glob("*.py"))

# Flags that make a long example short; an example without a row runs as it stands.
SHORT = {"quickstart.py": ["--steps", "300"]}


def run(path: Path, cwd: Path, *, without: tuple[str, ...] = ()) -> subprocess.CompletedProcess[str]:
    """Run an example in `cwd` as a script; the modules named in `without` behave as if not installed."""
    code = (
        f"import runpy, sys; sys.modules.update(dict.fromkeys({without!r})); "
        f"sys.argv[0] = {str(path)!r}; runpy.run_path({str(path)!r}, run_name='__main__')"
    )
    return subprocess.run(
        [sys.executable, "-W", "error::RuntimeWarning", "-c", code, *SHORT.get(path.name, [])],
        cwd=cwd,
        env=os.environ | {"PYTHONPATH": str(ROOT), "MPLBACKEND": "Agg", "MPLCONFIGDIR": str(cwd)},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.name)
def test_example_runs(path: Path, tmp_path: Path):
    done = run(path, tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip()


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.name)
def test_example_tells_its_idea_and_asserts_its_result(path: Path):
    module = ast.parse(path.read_text())
    assert ast.get_docstring(module)
    assert any(isinstance(node, ast.Assert) for node in ast.walk(module))


def test_quickstart_prints_what_it_promises_and_draws_the_loss(tmp_path: Path):
    from matplotlib.image import imread

    done = run(ROOT / "examples" / "quickstart.py", tmp_path)
    assert done.returncode == 0, done.stderr
    for part in ("gradient", "Hessian-vector product", "lambda", "test accuracy"):
        assert part in done.stdout
    picture = imread(tmp_path / "quickstart.png")
    assert min(picture.shape[:2]) >= 300
    assert picture.std() > 0.05  # not a blank sheet


def test_quickstart_shows_progress_without_tqdm(tmp_path: Path):
    done = run(ROOT / "examples" / "quickstart.py", tmp_path, without=("tqdm",))
    assert done.returncode == 0, done.stderr
    assert "step 300 of 300" in done.stdout


@pytest.mark.parametrize("missing", ["sklearn", "matplotlib"])
def test_quickstart_says_what_to_install(tmp_path: Path, missing: str):
    done = run(ROOT / "examples" / "quickstart.py", tmp_path, without=(missing,))
    assert done.returncode != 0
    assert "pip install -e '.[examples]'" in done.stderr


def test_there_are_examples():
    assert {"quickstart.py", "newton_cg.py", "logistic_map.py"} <= {path.name for path in EXAMPLES}
