"""The broker is shut when every account is refused, and one that is refused alone is told."""

from __future__ import annotations

from datetime import timedelta

from chartinsightd.domain.errors import AccessBlocked
from chartinsightd.service.collecting.account_circuits import AccountCircuits
from chartinsightd.service.collecting.circuit_breaker import GUESSED, Circuit
from chartinsightd.service.state.alert_kinds import AlertKind
from tests.support.fake_backend import FrozenClock
from tests.support.guards import FakeBlocks

BLOCK = AccessBlocked("8050", remedy="Register the address.", code="8050")


def circuits() -> tuple[AccountCircuits, FrozenClock]:
    """Return those of two accounts that work."""
    clock = FrozenClock()
    names = ("main", "second")
    return AccountCircuits({name: Circuit(clock, FakeBlocks()) for name in names}), clock


def test_one_refused_account_shuts_nothing_and_is_told() -> None:
    """The others are asked; the alert names the account and what to do, and ends with the refusal."""
    both, _ = circuits()
    both.of("second").refused(BLOCK)
    assert (both.block, both.held_until) == (None, None)
    told = both.look()[AlertKind.BROKER_ACCOUNT_REFUSED]
    assert told.message.startswith("Account second: 8050")
    assert told.remedy.startswith("Register the address.")
    both.of("second").passed()
    assert both.look() == {}


def test_all_refused_is_the_block_of_the_broker() -> None:
    """Nothing is asked before the first wait ends; that alert is another one."""
    both, clock = circuits()
    both.of("main").refused(BLOCK)
    clock.advance(60)
    both.of("second").refused(BLOCK)
    assert both.block is not None
    assert both.held_until == clock.now() + timedelta(minutes=4)
    assert both.look() == {}
    assert both.try_now()
    assert both.held_until is None


def test_refusals_of_everything_shut_every_account() -> None:
    """What is guessed from many refusals in a row holds for all of them."""
    both, _ = circuits()
    both.refused(AccessBlocked("everything is refused", code=GUESSED))
    assert both.block is not None
