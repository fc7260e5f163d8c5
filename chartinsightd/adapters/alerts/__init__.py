"""Channels that carry alerts to people, one in each module."""
