"""Equations, factorizations, determinants and spectra of matrices."""
