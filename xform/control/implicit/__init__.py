"""Functions that are given by an equation: solutions of linear systems, roots and fixed points."""
