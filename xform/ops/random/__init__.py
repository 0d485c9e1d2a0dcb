"""Random bits from keys, and samples that are drawn by rejection."""
