"""Figures against limits taken in the same run; see README.md in this folder."""
