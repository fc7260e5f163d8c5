"""Screens: conditions over strategies and facts, evaluated for every stock of a universe at one session."""
