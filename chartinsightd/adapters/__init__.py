"""One place for each outside thing."""
