"""Bytes to panels."""

TABLE_SUFFIXES = (".csv", ".csv.gz", ".parquet")
"""How the name of a file ends that ``table.read_table`` can read."""
FILE_SUFFIXES = (*TABLE_SUFFIXES, ".tsf")
"""How the name of a file ends that ``files.read_file`` can read."""
