"""What daemon and front ends say to each other: every message of the control API, as JSON.

Instants are aware and UTC (ISO 8601 with `Z`), days are Korean dates, ages and durations are seconds, money
is whole won, symbols are text. An answer may grow fields: who reads it ignores what it does not know. A
request may not: an unknown field is refused, so that a misspelt one does not pass for done.
"""
