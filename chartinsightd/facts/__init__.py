"""Plain tables of market facts, each with its source. Data, no decisions."""
