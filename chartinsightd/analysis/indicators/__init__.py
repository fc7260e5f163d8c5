"""Indicators: one function each, from columns to columns; `registry` knows them all."""
