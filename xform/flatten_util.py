"""Trees of arrays as vectors, under the name of `jax.flatten_util`."""

from xform.core.ravel import ravel_pytree

__all__ = ["ravel_pytree"]
