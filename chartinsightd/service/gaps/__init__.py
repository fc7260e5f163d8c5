"""The list of what is missing, with reasons."""
