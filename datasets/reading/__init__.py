"""Bytes to panels."""

TABLE_SUFFIXES = (".csv", ".csv.gz", ".parquet")
"""How the name of a file ends that ``table.read_table`` can read."""
