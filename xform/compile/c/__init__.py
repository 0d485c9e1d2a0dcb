"""The C backend: one translation unit for a program."""
