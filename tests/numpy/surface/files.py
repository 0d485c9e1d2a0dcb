"""Samples of what writes files and reads them, and of iteration over several arrays at once."""

import io
import tempfile

import numpy as np

from tests.numpy.surface.base import M, V, named, using


def written(name):
    """What numpy.<name> writes, as bytes; of archives, which hold the time, what is in them."""

    def program(namespace):
        buffer = io.BytesIO()
        getattr(namespace, name)(buffer, M)
        if name.startswith("savez"):
            buffer.seek(0)
            return list(np.load(buffer).values())
        return np.frombuffer(buffer.getvalue(), np.uint8)

    return using(program)


def saved():
    buffer = io.BytesIO()
    np.save(buffer, M)
    buffer.seek(0)
    return buffer


def from_a_file(namespace):
    with tempfile.TemporaryFile() as file:
        V.tofile(file)
        file.seek(0)
        return namespace.fromfile(file)


SAMPLES = named(
    {
        **{name: [written(name)] for name in ("save", "savez", "savez_compressed", "savetxt")},
        "load": [using(lambda np: np.load(saved()))],
        "loadtxt": [using(lambda np: np.loadtxt(["1 2", "3 4"]))],
        "genfromtxt": [using(lambda np: np.genfromtxt(["1 2", "3 x"]))],
        "fromfile": [using(from_a_file)],
        "fromregex": [using(lambda np: np.fromregex(io.StringIO("1,2"), r"(\d),(\d)", "i4,i4")["f0"])],
        "nested_iters": [using(lambda np: [len(it.shape) for it in np.nested_iters(M, [[0], [1]])])],
    }
)
