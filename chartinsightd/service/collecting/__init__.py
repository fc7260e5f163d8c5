"""Fetching candles: what is due, the fetch, the checks, the write, and retries."""
