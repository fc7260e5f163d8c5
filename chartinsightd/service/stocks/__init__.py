"""The stock list, and the upkeep of the store."""
