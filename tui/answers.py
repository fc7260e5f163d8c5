"""What the palette answers to a text: jobs, stocks and what to do with them, screens, days. Pure.

Words combine: `삼성 5`, `ㅅㅅㅈㅈ 일`, `차트 삼성 5m`, `gaps 005930`, `#38`, `11-16`, `005930 11-16`,
`pause 1h`. Korean and English names work whatever the language of the screens.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import islice

from textual.message import Message

from chartinsight_tui.context import Context
from chartinsight_tui.days import day_from
from chartinsight_tui.job_words import kind_of, subject
from chartinsight_tui.messages import OpenBackfill, RunAction, ShowChart, ShowDay, ShowJob, ShowScreen
from chartinsight_tui.search import found
from chartinsight_tui.text import LANGUAGES
from chartinsightd.control.protocol.jobs import LONGEST_PAUSE_S
from chartinsightd.domain.foreign_text import printable
from chartinsightd.domain.kst import day_of

_MOST_STOCKS = 10
_TIMEFRAMES = {
    "5": "5m",
    "5m": "5m",
    "5분": "5m",
    "30": "30m",
    "30m": "30m",
    "30분": "30m",
    "1h": "1h",
    "1시간": "1h",
    "일": "1d",
    "1d": "1d",
    "일봉": "1d",
    "주": "1w",
    "1w": "1w",
    "주봉": "1w",
}
_VERBS = {
    "chart": "chart",
    "차트": "chart",
    "gaps": "coverage",
    "누락": "coverage",
    "수집률": "coverage",
    "jobs": "jobs",
    "작업": "jobs",
    "backfill": "backfill",
    "백필": "backfill",
}
"""The first word may say what is wanted of the stock."""
_PAUSE = re.compile(r"(?:pause|정지|일시정지) (\d{1,3}) ?(m|h|분|시간)", re.IGNORECASE | re.ASCII)
_SECONDS = {"m": 60, "분": 60, "h": 3600, "시간": 3600}
_DAYS_AGO = {"today": 0, "오늘": 0, "yesterday": 1, "어제": 1}
_PAGES = {
    "page.gaps": ("coverage", "gaps"),
    "page.seals": ("coverage", "seals"),
    "page.revisions": ("coverage", "revisions"),
    "page.quarantine": ("coverage", "quarantine"),
    "page.plan": ("coverage", "plan"),
    "alerts.page.mine": ("alerts", "mine"),
}
"""Views of screens by the word for each: the screen, and which of its views."""
_ACTIONS = (
    "freeze",
    "replay",
    "swap_colours",
    "read_again",
    "export",
    "copy",
    "keys",
    "backfill",
    "pause",
    "sync",
    "hints",
    "quit",
)
_MUTATIONS = {"backfill", "pause", "sync"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """One line of the palette."""

    words: str
    does: Message
    """Posted to the dashboard when it is chosen."""
    help: str = ""


def answers(query: str, context: Context, screens: Sequence[str], themes: Sequence[str]) -> list[Answer]:
    """Return what a text may mean, the most exact first.

    Args:
        query: as typed, without the colon.
        context: data and words.
        screens: names of the screens, in their order.
        themes: names of the themes.
    """
    text = query.strip().removeprefix(":").strip()
    if not text:
        return []
    return [
        *_jobs(text, context),
        *_days(text, context),
        *_pauses(text, context),
        *_of_stocks(text, context),
        *_commands(text, context, screens, themes),
    ]


def _jobs(text: str, context: Context) -> Iterator[Answer]:
    number = text.removeprefix("#")
    job = context.store.jobs.get(int(number)) if number.isdecimal() and len(number) < 10 else None
    if job is not None:
        about = subject(job, context.words, context.store.name_of)
        words = f"#{job.id} {kind_of(job, context.words)} {about}".strip()
        yield Answer(
            words=printable(words), does=ShowJob(job.id), help=context.words[f"job.state.{job.state}"]
        )


def _days(text: str, context: Context) -> Iterator[Answer]:
    now = context.now()
    if now is None:
        return
    day = _day(text, day_of(now))
    if day is not None:
        yield Answer(words=f"{day:%Y-%m-%d}", does=ShowDay(day), help=context.words["page.seals"])


def _day(text: str, today: date) -> date | None:
    if text.casefold() in _DAYS_AGO:
        return today - timedelta(days=_DAYS_AGO[text.casefold()])
    try:
        return day_from(text, today)
    except ValueError:
        return None


def _pauses(text: str, context: Context) -> Iterator[Answer]:
    said = _PAUSE.fullmatch(text)
    seconds = int(said[1]) * _SECONDS[said[2].casefold()] if said and not context.read_only else 0
    if 0 < seconds <= LONGEST_PAUSE_S:
        words = context.words.put("palette.pause_for", length=context.words.duration(seconds))
        yield Answer(
            words=words, does=RunAction(f"pause_for({seconds})"), help=context.words["palette.pause_help"]
        )


def _of_stocks(text: str, context: Context) -> Iterator[Answer]:
    verb, name, timeframe = _split(text)
    if not name:
        return
    yield from _sessions(name, context)
    for place, stock in enumerate(found(name, context.store.stocks.values(), _MOST_STOCKS)):
        words = f"{printable(stock.name)}  {stock.symbol}"
        for kind in (verb,) if verb else ("chart", *(() if place else ("coverage", "jobs", "backfill"))):
            yield from _on_stock(kind, words, stock.symbol, timeframe, context)


def _sessions(text: str, context: Context) -> Iterator[Answer]:
    """Yield a trading day of a stock, named as `005930 11-16`."""
    name, _, last = text.rpartition(" ")
    now = context.now()
    day = _day(last, day_of(now)) if name and now is not None else None
    if day is not None:
        for stock in found(name, context.store.stocks.values(), _MOST_STOCKS):
            words = f"{printable(stock.name)}  {stock.symbol}  {day:%Y-%m-%d}"
            yield Answer(words=words, does=ShowDay(day, stock.symbol), help=context.words["page.seals"])


def _on_stock(kind: str, words: str, symbol: str, timeframe: str, context: Context) -> Iterator[Answer]:
    if kind == "chart":
        about = context.words[f"timeframe.{timeframe or '1d'}"]
        yield Answer(words=words, does=ShowChart(symbol, timeframe or "1d"), help=about)
    elif kind == "backfill":
        if not context.read_only:
            about = context.words["palette.backfill"]
            yield Answer(words=words, does=OpenBackfill(symbol, timeframe), help=about)
    else:
        yield Answer(words=words, does=ShowScreen(kind, symbol), help=context.words[f"tab.{kind}"])


def _split(text: str) -> tuple[str, str, str]:
    """Return what is wanted of a stock, what names it, and the timeframe; what was not said is empty."""
    words = text.split()
    verb = _VERBS.get(words[0].casefold(), "") if len(words) > 1 else ""
    words = words[1:] if verb else words
    timeframe = _TIMEFRAMES.get(words[-1], "") if len(words) > 1 else ""
    return verb, " ".join(words[:-1] if timeframe else words), timeframe


def _commands(text: str, context: Context, screens: Sequence[str], themes: Sequence[str]) -> Iterator[Answer]:
    """Yield screens, what keys do, and themes, where the text is part of a name in either language."""
    words = context.words
    for name in screens:
        if _is_named(text, f"tab.{name}"):
            yield Answer(words=words[f"tab.{name}"], does=ShowScreen(name), help=words["palette.show"])
    for key, (screen, page) in _PAGES.items():
        if _is_named(text, key):
            yield Answer(words=words[key], does=ShowScreen(screen, page=page), help=words["palette.show"])
    for action in _ACTIONS:
        if _is_named(text, f"palette.{action}") and not (context.read_only and action in _MUTATIONS):
            about = words[f"palette.{action}_help"]
            yield Answer(words=words[f"palette.{action}"], does=RunAction(action), help=about)
    for name in themes:
        if _is_named(text, f"theme.{name}") or _is_named(text, "palette.theme"):
            title = words.put("palette.theme", name=words[f"theme.{name}"])
            does = RunAction(f"use_theme('{name}')")
            yield Answer(words=title, does=does, help=words["palette.theme_help"])


def _is_named(text: str, key: str) -> bool:
    return any(text.casefold() in _name(texts, key) for texts in LANGUAGES.values())


def _name(texts: Mapping[str, str], key: str) -> str:
    return texts[key].partition(":")[0].casefold()


def first(recent: Sequence[str], most: int = 5) -> list[str]:
    """Return the last texts that were chosen, the newest first, each once."""
    return list(islice(dict.fromkeys(reversed(recent)), most))
