"""Comparing the calendar with the market, and correcting it."""
