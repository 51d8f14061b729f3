"""What tuning gives on three tasks: ``docs/results.md``, and a JSON row for each study behind it."""
