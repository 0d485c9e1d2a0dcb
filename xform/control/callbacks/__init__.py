"""Python functions that programs call."""
