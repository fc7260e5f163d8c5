"""Proving sessions complete, and reading again what could not be proved."""
