"""Watching: the groups of the watchlist, and the latest price of every stock that is collected or watched."""
