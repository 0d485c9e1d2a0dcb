"""The C text of operations: in registers, or as loops of their own."""
