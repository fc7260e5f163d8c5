"""The circuits of several accounts: the broker is shut only when every one is."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from chartinsightd.domain.alert_policy import Condition
from chartinsightd.domain.errors import AccessBlocked
from chartinsightd.service.collecting.circuit_breaker import Circuit
from chartinsightd.service.state.alert_kinds import AlertKind


class AccountCircuits:
    """Implements `ports.AccessCircuit` and `HealthProbe` over the circuits of all accounts.

    The session of an account tells its own circuit what the broker says of its key.

    Args:
        circuits: by account; at least one.
    """

    part = "accounts"

    def __init__(self, circuits: Mapping[str, Circuit]) -> None:
        self._circuits = circuits

    def of(self, account: str) -> Circuit:
        """Return the circuit that the session of an account passes."""
        return self._circuits[account]

    @property
    def is_any_refused(self) -> bool:
        """Whether a refusal of any account holds."""
        return any(circuit.block is not None for circuit in self._circuits.values())

    @property
    def block(self) -> AccessBlocked | None:
        """The refusal of the first account while every one is refused; otherwise None."""
        blocks = [circuit.block for circuit in self._circuits.values()]
        return blocks[0] if all(block is not None for block in blocks) else None

    @property
    def held_until(self) -> datetime | None:
        """When the first of them may be tried; None while one may be asked."""
        held = [circuit.held_until for circuit in self._circuits.values()]
        waits = [until for until in held if until is not None]
        return min(waits) if len(waits) == len(held) else None

    def refused(self, error: AccessBlocked) -> None:
        """Note that everything is refused, whatever the account; a block that holds stays as it is."""
        for circuit in self._circuits.values():
            circuit.refused(error)

    def passed(self) -> None:
        """Do nothing: which account gave the data, its own session knows."""

    def try_now(self) -> bool:
        """Let each refused account try now. False where none is refused."""
        tried = [circuit.try_now() for circuit in self._circuits.values()]
        return any(tried)

    def look(self) -> Mapping[AlertKind, Condition]:
        """Tell which accounts are refused while others work."""
        blocks = {name: circuit.block for name, circuit in self._circuits.items()}
        refused = {name: block for name, block in blocks.items() if block is not None}
        if not refused or len(refused) == len(blocks):
            return {}
        words = " ".join(f"Account {name}: {block.message}" for name, block in refused.items())
        remedy = next(iter(refused.values())).remedy
        message = f"{words} The other accounts collect its symbols, more slowly."
        return {AlertKind.BROKER_ACCOUNT_REFUSED: Condition(level="warning", message=message, remedy=remedy)}
