"""jit: functions whose programs are written down once for each kind of arguments, compiled, and then run as a whole."""
