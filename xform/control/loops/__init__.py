"""Loops: scan, while, what is kept of their steps, and the functions that users call."""
