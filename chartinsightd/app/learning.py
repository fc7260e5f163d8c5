"""`chartinsightd check --learn`, and what the daemon makes of its answers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import timedelta

import structlog

from chartinsightd.adapters.folder_lock import held
from chartinsightd.adapters.kiwoom.learning.charts import ChartQuestions
from chartinsightd.adapters.kiwoom.learning.requests import Dates, RequestQuestions
from chartinsightd.adapters.kiwoom.learning.stream import StreamQuestions
from chartinsightd.adapters.kiwoom.session import Kiwoom, open_kiwoom
from chartinsightd.app.broker import accesses
from chartinsightd.app.opening import load_calendar, open_clock
from chartinsightd.clock import Clock
from chartinsightd.domain.errors import SourceError
from chartinsightd.domain.learned import (
    Finding,
    Learned,
    LearnedRefused,
    Question,
    learned_text,
    parse_learned,
)
from chartinsightd.facts.targets import DELISTED, TARGETS
from chartinsightd.ports.broker import Priority
from chartinsightd.settings.kiwoom import FIRST_ACCOUNT
from chartinsightd.settings.model import Settings, state_file

log = structlog.get_logger(__name__)

FILE = "learned.json"
_LONGEST_S = 900.0
"""Real seconds; on the paper host, a fifth as fast, it takes ten minutes."""
_MOST_LISTED = 240


async def learn(settings: Settings) -> AsyncIterator[Finding]:
    """Ask everything that no source knows, at the pace of the settings, and keep the answers.

    Raises:
        StoreOwned: a daemon works with this state folder; together they could exceed the limit.
        SourceError: the broker cannot be asked; nothing is written.
    """
    clock = await open_clock(settings)
    dates = Dates(clock=clock)
    lock = state_file(settings, "daemon.lock")
    access = accesses(settings)[FIRST_ACCOUNT]
    opened = open_kiwoom(access, clock, settings.kiwoom.pace, settings.kiwoom.gate, on_date=dates)
    found: list[Finding] = []
    with held(lock, doing=f"works in the state folder {lock.parent}"):
        async with asyncio.timeout(_LONGEST_S), opened as kiwoom:
            async for finding in _ask(settings, clock, kiwoom, dates):
                found.append(finding)
                yield finding
        _write(settings, clock, found)


async def _ask(settings: Settings, clock: Clock, kiwoom: Kiwoom, dates: Dates) -> AsyncIterator[Finding]:
    symbols = [symbol for symbol in TARGETS if symbol not in DELISTED]  # large ones, whatever is collected
    charts = ChartQuestions(
        charts=kiwoom.charts, symbols=symbols, calendar=load_calendar(settings), now=clock.now()
    )
    async for finding in charts.findings():
        yield finding
    requests = RequestQuestions(
        transport=kiwoom.transport, issuer=kiwoom.issuer, gate=kiwoom.gate, clock=clock, symbols=symbols
    )
    async for finding in requests.findings():
        yield finding
    stream = StreamQuestions(
        url=settings.kiwoom.socket_url,
        user_agent=settings.kiwoom.user_agent,
        issuer=kiwoom.issuer,
        symbols=await _listed(kiwoom, symbols),
    )
    async for finding in stream.findings():
        yield finding
    yield dates.finding()


async def _listed(kiwoom: Kiwoom, symbols: Sequence[str]) -> list[str]:
    """Return codes to register: the targets, then what else is listed."""
    try:
        listing = await kiwoom.lists.listed_stocks(Priority.VERIFICATION)
    except SourceError as error:
        log.warning("learn.no_list", error=str(error))
        return list(symbols)
    return list(dict.fromkeys([*symbols, *sorted(listing.symbols)]))[:_MOST_LISTED]


def _write(settings: Settings, clock: Clock, findings: Sequence[Finding]) -> None:
    answers = {one.question: one.answer for one in findings if one.answer is not None}
    learned = Learned(at=clock.now(), host=settings.kiwoom.rest_url, answers=answers)
    file = state_file(settings, FILE)
    draft = file.with_suffix(".new")
    draft.write_text(learned_text(learned), encoding="utf-8")
    draft.replace(file)


def with_learned(settings: Settings, clock: Clock) -> Settings:
    """Return the settings with the answers that bound them; a file that must not be used is ignored."""
    file = state_file(settings, FILE)
    try:
        text = file.read_text(encoding="utf-8")
        learned = parse_learned(text, host=settings.kiwoom.rest_url, now=clock.now() + timedelta(minutes=5))
    except FileNotFoundError:
        return settings
    except (OSError, ValueError) as error:
        log.warning("learned.unreadable", file=str(file), error=str(error))
        return settings
    except LearnedRefused as error:
        log.warning("learned.refused", file=str(file), error=error.message, remedy=error.remedy)
        return settings
    answers = {str(question): answer for question, answer in sorted(learned.answers.items())}
    log.info("learned.read", file=str(file), at=learned.at, **answers)
    return _bounded(settings, learned)


def _bounded(settings: Settings, learned: Learned) -> Settings:
    """Bound the pace, and the codes of the live stream, by what the broker took."""
    kiwoom, live = settings.kiwoom, settings.live
    if pace := learned.number(Question.PACE):
        kiwoom = kiwoom.model_copy(update={"requests_per_second": min(kiwoom.pace, pace)})
    if codes := learned.number(Question.CODES_PER_GROUP):
        live = live.model_copy(update={"most_symbols": min(live.most_symbols, codes)})
    return settings.model_copy(update={"kiwoom": kiwoom, "live": live})
