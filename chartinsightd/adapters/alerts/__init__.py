"""The ways to a person: each channel in a module of its own."""
