"""Control flow, and the operators that NumPy's functions are made of, under the names they have in `jax.lax`."""

from xform.lax.collectives import (
    all_gather as all_gather,
    axis_index as axis_index,
    axis_size as axis_size,
    pmax as pmax,
    pmean as pmean,
    pmin as pmin,
    psum as psum,
    psum_scatter as psum_scatter,
)
