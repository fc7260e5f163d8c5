"""What the services ask of the outside; each port has one contract, its docstrings."""
