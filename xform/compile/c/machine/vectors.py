"""The vector registers for which the compiler makes code."""

from __future__ import annotations

import platform
import subprocess
from functools import lru_cache
from typing import NamedTuple

from xform.compile.c.machine import cache
from xform.compile.c.machine.toolchain import Compiler, compiler, cpu, flags


class Vectors(NamedTuple):
    """How long they are, and how many there are."""

    bits: int
    count: int

    def lanes(self, kind: str) -> int:
        """How many numbers of a C type one holds."""
        return self.bits // (64 if kind == "double" else 32)


#: by the macro of a compiler that may use them; the first one that is defined counts
BY_MACRO = {
    "__AVX512F__": Vectors(512, 32),
    "__AVX__": Vectors(256, 16),
    "__aarch64__": Vectors(128, 32),
    "__VSX__": Vectors(128, 64),
}

#: those of any other CPU
PLAIN = Vectors(128, 16)


def vectors() -> Vectors:
    """Those of the compiler in use; a wider vector would be taken apart, which takes many times as long."""
    return _vectors(compiler())


@lru_cache(maxsize=8)
def _vectors(cc: Compiler) -> Vectors:
    """Asked once, and kept on disk beside the libraries."""
    key = cache.digest("vectors", *cc.command, cc.version, *flags(cc), cpu(), platform.platform())
    macro = cache.note(key)
    if macro is None:
        macro = _first_macro(cc)
        cache.write_note(key, macro)
    return BY_MACRO.get(macro.strip(), PLAIN)


def _first_macro(cc: Compiler) -> str:
    """The first macro that is defined; nothing if there is none, or the compiler does not tell."""
    command = [*cc.command, *flags(cc), "-dM", "-E", "-x", "c", "-"]
    said = subprocess.run(command, input=b"", capture_output=True, check=False, close_fds=False).stdout
    defined = {line.split()[1] for line in said.decode(errors="replace").splitlines() if line.startswith("#define ")}
    return next((macro for macro in BY_MACRO if macro in defined), "")
