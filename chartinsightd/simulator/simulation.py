"""Everything one simulated broker is made of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from types import MappingProxyType

from chartinsightd.simulator.clock import VirtualClock
from chartinsightd.simulator.correction_log import Correction, CorrectionLog
from chartinsightd.simulator.faults import Mix
from chartinsightd.simulator.journal import Journal
from chartinsightd.simulator.limits import Limits, Monitor
from chartinsightd.simulator.model import Market
from chartinsightd.simulator.pages import Pages
from chartinsightd.simulator.settings import DEFAULT_APP_KEY, DEFAULT_SECRET_KEY, Profile
from chartinsightd.simulator.stocks import Stocks
from chartinsightd.simulator.tokens import Tokens


@dataclass(slots=True, kw_only=True)
class Simulation:
    """The state that the broker's doors (HTTP, WebSocket, admin) share."""

    profile: Profile
    clock: VirtualClock
    market: Market
    tokens: Tokens
    limits: Limits
    monitor: Monitor
    pages: Pages
    stocks: Stocks
    journal: Journal = field(default_factory=Journal)
    mix: Mix = field(default_factory=Mix)
    corrections: CorrectionLog | None = None
    """Where corrections are kept over a restart; None forgets them."""

    @classmethod
    def of(
        cls,
        profile: Profile,
        clock: VirtualClock,
        market: Market,
        keys: Mapping[str, str] = MappingProxyType({DEFAULT_APP_KEY: DEFAULT_SECRET_KEY}),
    ) -> Simulation:
        """Return a broker without any request yet.

        Args:
            profile: how it behaves.
            clock: its time.
            market: what it serves.
            keys: the secret key of each account's app key; each account has limits of its own.
        """
        valid = timedelta(hours=profile.token_valid_h)
        return cls(
            profile=profile,
            clock=clock,
            market=market,
            tokens=Tokens(keys, valid, rotates=profile.token_policy == "rotate"),
            limits=Limits(profile),
            monitor=Monitor(profile),
            pages=Pages(market, profile),
            stocks=Stocks(market, profile),
        )

    def now(self) -> datetime:
        """Return virtual time: aware, KST."""
        return self.clock.now()

    def correct(self, code: str, day: date, label: int | None, factor: float) -> bool:
        """Change a past volume for good (see `Market.correct`); encoded pages are dropped."""
        is_done = self.market.correct(code, day, label, factor)
        if is_done and self.corrections is not None:
            self.corrections.add(Correction(code, day, label, factor))
        self.pages.forget()
        self.stocks.forget()
        return is_done

    def keep_corrections(self, log: CorrectionLog) -> None:
        """Make an earlier simulator's corrections again, and keep those to come.

        Raises:
            ValueError: the file holds something else.
        """
        for made in log.read():
            self.market.correct(made.code, made.day, made.label, made.factor)
        self.corrections = log
