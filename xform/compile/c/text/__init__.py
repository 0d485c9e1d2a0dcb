"""The C text of values, memory and loops, of which programs are written."""
