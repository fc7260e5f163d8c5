"""One suite a port: each rule holds for the double in `tests/support` and for the real adapter.

What only the real one has to stand (a lost connection, a damaged file) is tested in `tests/adapters`.
"""
