"""What verbs take: symbols, timeframes, days, and how they show their answer."""

from __future__ import annotations

import functools
import unicodedata
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from dataclasses import fields as dataclass_fields
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, TypeVar

import click
from click.shell_completion import CompletionItem

from chartinsightd.cli.days import DayWord, parse_day, parse_duration, parse_moment
from chartinsightd.domain.timeframe import Timeframe
from chartinsightd.domain.venue import Venue

_Command = TypeVar("_Command", bound=Callable[..., Any])
_DAY_EXAMPLES = ("today", "yesterday", "-7d", "-30d", "-1y")


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """How an answer is shown."""

    as_json: bool
    watch: bool = False
    every_s: float = 2.0
    """Real seconds between two looks of `--watch`."""
    columns: tuple[str, ...] = ()
    """Fields to show; empty: those that a person wants."""
    sort: str = ""
    """The field whose order rows have, with `-` in reverse; empty: the daemon's order."""
    as_tsv: bool = False


class SymbolType(click.ParamType[str]):
    """A stock code or name as it was typed; who it is, the daemon knows."""

    name = "symbol"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Return the word with its Hangul composed: some keyboards send single letters."""
        word = unicodedata.normalize("NFC", str(value)).strip()
        if not word or len(word) > 50:
            self.fail(f"{value!r} is neither a stock code nor a name.", param, ctx)
        return word

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        """Offer codes and names that begin so."""
        del param
        from chartinsightd.cli.completion import symbol_items

        return symbol_items(ctx, incomplete)


class JobType(click.types.IntParamType):
    """The number of a job."""

    name = "id"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Return the number; it fits into a bigint."""
        number: int = super().convert(value, param, ctx)
        if not 0 <= number < 2**63:
            self.fail(f"{value} is not the number of a job.", param, ctx)
        return number

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        """Offer jobs that are not over."""
        del param
        from chartinsightd.cli.completion import job_items

        return job_items(ctx, incomplete)


class WordType(click.ParamType[Any]):
    """One word of a closed list; shown as people type it, in small letters."""

    words: type[StrEnum]

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the member of the list."""
        try:
            return self.words(value)
        except ValueError:
            self.fail(f"{value!r} is none of {', '.join(self._shown())}.", param, ctx)

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        """Offer those that begin so."""
        del ctx, param
        return _beginning_with(incomplete.lower(), self._shown())

    def _shown(self) -> list[str]:
        return [word.lower() for word in self.words]


class TimeframeType(WordType):
    """One of the five timeframes."""

    name = "timeframe"
    words = Timeframe


class TimeframesType(TimeframeType):
    """Timeframes with commas between."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return a tuple of timeframes."""
        words = value if isinstance(value, tuple) else str(value).split(",")
        return tuple(TimeframeType.convert(self, word, param, ctx) for word in words)


class VenueType(WordType):
    """One of the venues, its name in any case."""

    name = "venue"
    words = Venue


class DayType(click.ParamType[DayWord]):
    """A day as a person names it."""

    name = "day"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> DayWord:
        """Return the date, or how long ago it is."""
        try:
            return parse_day(str(value))
        except ValueError:
            self.fail(
                f"{value!r} is not a day: 2026-09-14, today, yesterday, -30d, -4w, -6m, -1y.", param, ctx
            )

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        """Offer some."""
        del ctx, param
        return _beginning_with(incomplete, _DAY_EXAMPLES)


class SinceType(click.ParamType[Any]):
    """A moment, or how long ago it was."""

    name = "when"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> datetime | timedelta:
        """Return the moment, aware, UTC; or how long ago."""
        try:
            return parse_duration(str(value))
        except ValueError:
            pass
        try:
            return parse_moment(str(value))
        except (ValueError, OverflowError):
            self.fail(f"{value!r} is neither 45s, 10m, 2h nor a moment such as 2026-11-20T15:00.", param, ctx)


class DurationType(click.ParamType[timedelta]):
    """How long something lasts."""

    name = "duration"

    def __init__(self, longest: timedelta = timedelta.max) -> None:
        self._longest = longest

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> timedelta:
        """Return the length; it is more than nothing and at most the longest."""
        try:
            length = parse_duration(str(value))
        except ValueError:
            self.fail(f"{value!r} is not a duration such as 45s, 10m, 1h30m or 2d.", param, ctx)
        if length > self._longest:
            self.fail(f"{value!r} is longer than {self._longest.days} days.", param, ctx)
        return length


def refuse_two_measures(adjusted: bool, as_of: datetime | None) -> None:
    """Refuse adjusted prices as of a moment.

    Raises:
        UsageError: both are asked for.
    """
    if adjusted and as_of is not None:
        raise click.UsageError("--as-of goes with prices as traded: leave out --adjusted.")


class MomentType(click.ParamType[datetime]):
    """A moment, Korean unless it names a zone."""

    name = "moment"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        """Return it aware, UTC."""
        try:
            return parse_moment(str(value))
        except (ValueError, OverflowError):
            self.fail(f"{value!r} is not a moment such as 2026-11-20T15:00.", param, ctx)


def as_of_option(command: _Command) -> _Command:
    """Take a moment in the past, as `as_of`."""
    return click.option(
        "--as-of",
        "as_of",
        type=MomentType(),
        metavar="MOMENT",
        help="As known then, such as 2026-11-20T15:00: without later corrections and candles that were not "
        "over. When a candle was first stored is not known.",
    )(command)


def symbols_argument(*, required: bool = False) -> Callable[[_Command], _Command]:
    """Take any number of symbols, as `symbols`."""
    metavar = "SYMBOL..." if required else "[SYMBOL]..."
    return click.argument("symbols", metavar=metavar, nargs=-1, required=required, type=SymbolType())


def timeframes_option(command: _Command) -> _Command:
    """Take timeframes, repeated or with commas, as the tuple `timeframes`; none given is empty."""
    return click.option(
        "-t",
        "--timeframe",
        "timeframes",
        type=TimeframesType(),
        multiple=True,
        metavar="TF[,TF]",
        callback=lambda _context, _parameter, groups: tuple(
            dict.fromkeys(tf for tfs in groups for tf in tfs)
        ),
        help=f"Only these: {', '.join(Timeframe)}.",
    )(command)


def range_options(command: _Command) -> _Command:
    """Take the first and the last day, as `from_day` and `to_day`."""
    first = click.option("--from", "from_day", type=DayType(), metavar="DAY", help="First day.")
    last = click.option("--to", "to_day", type=DayType(), metavar="DAY", help="Last day, itself included.")
    return first(last(command))


def limit_option(
    default: int, words: str = "At most this many, newest.", most: int = 10_000
) -> Callable[[_Command], _Command]:
    """Take how many rows to show, as `limit`."""
    return click.option(
        "-n",
        "--limit",
        metavar="N",
        type=click.IntRange(1, most),
        default=default,
        show_default=True,
        help=words,
    )


def json_option(command: _Command) -> _Command:
    """Take `--json`, as `as_json`."""
    return click.option("--json", "as_json", is_flag=True, help="Write JSON; docs/cli.md lists the fields.")(
        command
    )


def check_option(words: str) -> Callable[[_Command], _Command]:
    """Take `--check`, as `check`."""
    return click.option("--check", is_flag=True, help=f"End with status 1 when {words}.")


def interval_option(default: float, words: str) -> Callable[[_Command], _Command]:
    """Take how many real seconds lie between two looks, as `every_s`."""
    return click.option(
        "--interval",
        "every_s",
        type=click.FloatRange(0.1, 3600.0),
        default=default,
        show_default=True,
        metavar="SECONDS",
        help=words,
    )


def view_options(command: Callable[..., None]) -> Callable[..., None]:
    """Take how the answer is shown, as one `view`."""

    @json_option
    @click.option(
        "--tsv", "as_tsv", is_flag=True, help="Write rows with tabs between the fields of the JSON."
    )
    @click.option(
        "--columns",
        default="",
        metavar="A,B",
        callback=lambda _context, _parameter, words: tuple(word for word in words.split(",") if word),
        help="Only these fields of the JSON, in this order.",
    )
    @click.option("--sort", default="", metavar="[-]FIELD", help="Rows in the order of a field of the JSON.")
    @click.option("-w", "--watch", is_flag=True, help="Show it again and again, until Ctrl-C.")
    @interval_option(2.0, "How often, with --watch.")
    @functools.wraps(command)
    def with_view(*args: Any, **kwargs: Any) -> None:
        view = View(**{field.name: kwargs.pop(field.name) for field in dataclass_fields(View)})
        if view.as_json and view.as_tsv:
            raise click.UsageError("--json and --tsv exclude each other.")
        command(*args, view=view, **kwargs)

    return with_view


def yes_option(command: _Command) -> _Command:
    """Take that no question is to be asked, as `yes`."""
    return click.option("-y", "--yes", is_flag=True, help="Do not ask; without a terminal nothing asks.")(
        command
    )


def wait_options(command: _Command) -> _Command:
    """Take whether and how long to wait for a job, as `wait` and `timeout_s`."""
    wait = click.option("--wait", is_flag=True, help="Wait until the job is over, with its progress.")
    longest = click.option(
        "--timeout",
        "timeout_s",
        type=click.FloatRange(min=0.0, min_open=True),
        metavar="SECONDS",
        help="Wait no longer than this; then the status is 4, and the job continues.",
    )
    return wait(longest(command))


def _beginning_with(incomplete: str, words: Iterable[str]) -> list[CompletionItem]:
    return [CompletionItem(str(word)) for word in words if word.startswith(incomplete)]


venue_option = click.option(
    "--venue",
    type=VenueType(),
    default=Venue.KRX,
    metavar="VENUE",
    help="krx (default), nxt, or unified for both together; what venues.collect names is kept.",
)
"""Whose trades."""


def _refuse_what_is_not_analysed(_context: click.Context, _parameter: click.Parameter, venue: Venue) -> None:
    if venue is not Venue.KRX:
        raise click.UsageError(
            "Points, patterns, screens and statistics are found in candles of KRX alone. "
            f"Leave out --venue; `candles --venue {venue.lower()}` shows those of {venue}."
        )


analysed_venue_option = click.option(
    "--venue",
    type=VenueType(),
    default=Venue.KRX,
    hidden=True,
    expose_value=False,
    callback=_refuse_what_is_not_analysed,
)
"""Takes KRX alone: without it, whoever asks for another venue would be told that there is no such option."""
