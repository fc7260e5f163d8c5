"""What the services ask of the outside; each port has one contract, its docstrings.

Whoever asks the broker for something names its priority, hence that name is at the front door.
"""

from chartinsightd.ports.broker import Priority

__all__ = ["Priority"]
