"""Forming candles from the live stream: never the truth, always said to be what they are."""
