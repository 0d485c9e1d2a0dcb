"""Convolutions in any number of dimensions."""
