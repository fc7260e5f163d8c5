"""The rules of the field: pure values and functions, no I/O, no clock, no await."""
