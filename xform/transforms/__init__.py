"""The transformations: each a trace, a tracer and a function."""
