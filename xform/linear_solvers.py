"""Matrix-free solvers of linear systems on trees, which differentiate through the equation and not the iteration.

They have the names and signatures that they have in `jax.scipy.sparse.linalg`.
"""

from xform.control.implicit.krylov import bicgstab, cg, gmres

__all__ = ["bicgstab", "cg", "gmres"]
