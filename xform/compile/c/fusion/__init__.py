"""Programs as few loops: which operations share one, what stays in registers, what is computed again."""
