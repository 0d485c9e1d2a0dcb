"""Branches: cond and switch."""
