"""`chartinsightctl`: the daemon from the command line. Knows its control client and messages only."""
