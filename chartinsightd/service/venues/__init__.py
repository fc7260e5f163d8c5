"""What is collected beside KRX."""
