"""From jaxprs to programs that run fast: passes, and backends for NumPy and C."""
