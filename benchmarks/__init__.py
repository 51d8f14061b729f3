"""What things cost. Each module prints ratios from one run; none is a test."""
