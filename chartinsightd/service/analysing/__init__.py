"""Keeping the analysis of every series up to date with its candles."""
