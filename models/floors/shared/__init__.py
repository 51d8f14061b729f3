"""What two or more floors share."""
