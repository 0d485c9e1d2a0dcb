"""Control flow, and the operators that NumPy's functions are made of, under the names they have in `jax.lax`."""

from xform.lax.collectives import all_gather, axis_index, axis_size, pmax, pmean, pmin, psum, psum_scatter

__all__ = ["all_gather", "axis_index", "axis_size", "pmax", "pmean", "pmin", "psum", "psum_scatter"]
