"""The words: every first-order primitive, with all its rules."""

from xform.ops import arithmetic, complex, logic, operators, select, structure, transcendental

__all__ = ["arithmetic", "complex", "logic", "operators", "select", "structure", "transcendental"]
