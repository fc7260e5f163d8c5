"""The fault campaign: seeded storms on real processes; afterwards the store must equal the truth, row by row.

`python -m tests.campaign --seeds 1-200` runs many, `--replay 17` one of them again.
"""
