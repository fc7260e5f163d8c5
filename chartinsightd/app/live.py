"""The live stream, as the settings want it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from chartinsightd.adapters.kiwoom.realtime.feed import KiwoomFeed, RealtimeAccess
from chartinsightd.adapters.kiwoom.realtime.pooled_feed import PooledFeed
from chartinsightd.app.shared import Shared
from chartinsightd.backend.live_view import FormingEvents
from chartinsightd.control.events import EventHub
from chartinsightd.domain.series import Series
from chartinsightd.ports.live import RunningFeed
from chartinsightd.process.supervisor import Service
from chartinsightd.service.live.forming_candles import FormingCandles
from chartinsightd.service.live.live_candles import LiveCandles
from chartinsightd.service.live.provisional_rows import ProvisionalRows


@dataclass(frozen=True, slots=True, kw_only=True)
class Live:
    """The stream and what is made of it."""

    feed: RunningFeed
    forming: FormingCandles
    candles: LiveCandles

    def services(self) -> dict[str, Service]:
        """Return what has to run."""
        return {"live.feed": self.feed.run, "live.candles": self.candles.run}


def new_live(shared: Shared, hub: EventHub, is_collected: Callable[[Series], bool]) -> Live | None:
    """Return the live stream; None where it is off, or its host is not known."""
    settings, resources, current_rules = shared.settings, shared.resources, shared.current_rules
    url, clock = settings.kiwoom.socket_url, shared.clock
    if not settings.live.enabled or not url:
        return None
    access = RealtimeAccess(
        url=url, user_agent=settings.kiwoom.user_agent, most_symbols=settings.live.most_symbols
    )
    forming = FormingCandles(current_rules, settings.collect.timeframes)
    issuers = resources.broker.issuers
    feeds = {name: KiwoomFeed(access=access, issuer=one, clock=clock) for name, one in issuers.items()}
    feed = next(iter(feeds.values())) if len(feeds) == 1 else PooledFeed(feeds, access.most_symbols)
    candles = LiveCandles(
        feed=feed,
        forming=forming,
        rows=ProvisionalRows(resources.store.candles, current_rules, is_collected),
        days=resources.store.seals,
        wanted=shared.watch_groups.wanted_live,
        commits=shared.commits,
        on_forming=FormingEvents(hub),
        current_rules=current_rules,
        clock=clock,
    )
    return Live(feed=feed, forming=forming, candles=candles)
