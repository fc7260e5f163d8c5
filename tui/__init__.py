"""The dashboard: a terminal program that only reads the control API."""
