"""Looking into a transformed function: print, call back, or stop in the debugger, with values in place of tracers.

All three are transparent to derivatives, are kept in programs in their order, and run once per example under vmap.
"""

from xform.debug.debugger import breakpoint
from xform.debug.looking import callback, print

__all__ = ["breakpoint", "callback", "print"]
