"""NumPy's functions for arrays and traced values, under NumPy's names."""

from xform.numpy import protocol as protocol
