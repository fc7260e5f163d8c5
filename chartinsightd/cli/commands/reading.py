"""Verbs that read: status, coverage, gaps, seals, candles."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING

import click

from chartinsightd.cli.connection import Connection, pass_connection
from chartinsightd.cli.days import DayWord, start_of
from chartinsightd.cli.endings import ExitStatus, end, say
from chartinsightd.cli.parameters import (
    MomentType,
    SymbolType,
    TimeframeType,
    View,
    as_of_option,
    check_option,
    limit_option,
    range_options,
    refuse_two_measures,
    symbols_argument,
    timeframes_option,
    venue_option,
    view_options,
)
from chartinsightd.cli.present import present
from chartinsightd.domain.timeframe import Timeframe
from chartinsightd.domain.venue import Venue
from chartinsightd.facts.krx import KST

if TYPE_CHECKING:
    from chartinsightd.control.client import ControlClient
    from chartinsightd.control.protocol.coverage import CoverageList, GapList, SealList, SessionCoverageList
    from chartinsightd.control.protocol.rows import AdjustmentList, CandleList
    from chartinsightd.control.protocol.status import Status

_STATUS_LIMIT_S = 5.0
"""The daemon has its status in memory: one that takes longer stands still, and a check has to say so soon."""


@click.command()
@click.option(
    "--at",
    type=MomentType(),
    metavar="MOMENT",
    help="As it was then, such as 2026-11-18T20:00, of the last month; status 1 when nothing is known of it.",
)
@check_option("data does not flow as it should")
@view_options
@pass_connection
def status(connection: Connection, at: datetime | None, check: bool, view: View) -> None:
    """Show what the daemon does now: session, gate, database, freshness, alerts."""
    from chartinsightd.cli.views.status import render_status
    from chartinsightd.control.operations import STATUS

    if at is not None:
        if check or view.watch:
            raise click.UsageError("--at is about the past: it takes neither --check nor --watch.")
        return _status_at(connection, at, view)

    async def read(client: ControlClient) -> Status:
        return await client.ask(STATUS)

    answer = present(connection, read, render_status, view, timeout_s=_STATUS_LIMIT_S)
    if check:
        _check_health(connection, answer)
    return None


def _status_at(connection: Connection, at: datetime, view: View) -> None:
    """Show a past moment as it was recorded; where no record exists, say so."""
    from chartinsightd.cli.lookup import made
    from chartinsightd.cli.views.replay import not_recorded, render_moment
    from chartinsightd.control.operations import MOMENT
    from chartinsightd.control.protocol.replay import MomentAnswer, MomentQuery

    query = made(MomentQuery, at=at)

    async def read(client: ControlClient) -> MomentAnswer:
        return await client.ask(MOMENT, query)

    answer = present(connection, read, render_moment, view)
    if answer.recorded is None:
        say(f"chartinsightctl: {not_recorded(answer)}")
        end(ExitStatus.FAILED)


def _check_health(connection: Connection, status: Status) -> None:
    """Say what is not well, part by part, and end with the status that the verdict asks for."""
    from chartinsightd.control.operations import HEALTH

    health = connection.ask(lambda client: client.ask(HEALTH), _STATUS_LIMIT_S)
    for part in health.checks:
        if not part.ok:
            say(f"chartinsightctl: {part.part}: {part.detail} {part.remedy}".rstrip())
    if status.daemon.state == "paused":
        until = status.daemon.paused_until
        when = f" until {until.astimezone(KST):%Y-%m-%d %H:%M} KST" if until is not None else ""
        say(f"chartinsightctl: daemon: Collecting is paused{when}. `chartinsightctl resume` starts it again.")
    for cause in status.verdict.causes:
        say(f"chartinsightctl: {cause.kind}: {cause.words.en}")
    is_failing = not health.ok or status.verdict.state == "trouble" or status.daemon.state == "paused"
    end(ExitStatus.FAILED if is_failing else ExitStatus.OK)


@click.command()
@symbols_argument()
@timeframes_option
@click.option("--sessions", is_flag=True, help="The trading days that are not complete; of one --timeframe.")
@range_options
@click.option("--detail", is_flag=True, help="A line for each series instead of one for each symbol.")
@click.option("--universe", is_flag=True, help="Of the stocks beside the targets; their days are not sealed.")
@check_option("anything is missing")
@view_options
@venue_option
@pass_connection
def coverage(
    connection: Connection,
    symbols: tuple[str, ...],
    timeframes: tuple[Timeframe, ...],
    sessions: bool,
    from_day: DayWord | None,
    to_day: DayWord | None,
    detail: bool,
    universe: bool,
    check: bool,
    venue: Venue,
    view: View,
) -> None:
    """Show how complete each series is within its horizon; by default of every target."""
    from chartinsightd.control.operations import COVERAGE

    if sessions:
        return _sessions(connection, symbols, timeframes, (from_day, to_day), venue, check, view)
    if from_day or to_day:
        raise click.UsageError("--from and --to go with --sessions.")
    from chartinsightd.cli.lookup import made, symbols_of
    from chartinsightd.cli.views.coverage import render_coverage, render_series
    from chartinsightd.control.protocol.coverage import CoverageQuery
    from chartinsightd.domain.tier import Tier

    async def read(client: ControlClient) -> CoverageList:
        codes = await symbols_of(client, symbols)
        tier = Tier.UNIVERSE if universe else Tier.TARGET
        query = made(CoverageQuery, symbol=codes, timeframe=timeframes, tier=tier, venue=venue)
        return await client.ask(COVERAGE, query)

    answer = present(connection, read, render_series if detail or symbols else render_coverage, view)
    if universe:
        say("Days of the universe are not sealed: the proof needs 5m candles.")
    end(ExitStatus.FAILED if check and any(row.missing for row in answer.items) else ExitStatus.OK)
    return None


def _sessions(
    connection: Connection,
    symbols: tuple[str, ...],
    timeframes: tuple[Timeframe, ...],
    days: tuple[DayWord | None, DayWord | None],
    venue: Venue,
    check: bool,
    view: View,
) -> None:
    from chartinsightd.cli.lookup import dates_of, made, symbols_of
    from chartinsightd.cli.views.coverage import render_sessions
    from chartinsightd.control.operations import SESSION_COVERAGE
    from chartinsightd.control.protocol.coverage import SessionCoverageQuery

    if len(timeframes) != 1:
        raise click.UsageError("--sessions needs one --timeframe.")

    async def read(client: ControlClient) -> SessionCoverageList:
        first, last = await dates_of(client, *days)
        codes = await symbols_of(client, symbols)
        asked = {"symbol": codes, "from_day": first, "to_day": last, "venue": venue}
        query = made(SessionCoverageQuery, timeframe=timeframes[0], **asked)
        return await client.ask(SESSION_COVERAGE, query)

    answer = present(connection, read, render_sessions, view)
    end(ExitStatus.FAILED if check and answer.items else ExitStatus.OK)


@click.command()
@symbols_argument()
@timeframes_option
@limit_option(1_000)
@check_option("there is a gap")
@view_options
@venue_option
@pass_connection
def gaps(
    connection: Connection,
    symbols: tuple[str, ...],
    timeframes: tuple[Timeframe, ...],
    limit: int,
    check: bool,
    venue: Venue,
    view: View,
) -> None:
    """Show ranges that should hold candles and do not, each with its reason; newest first."""
    from chartinsightd.cli.lookup import made, symbols_of
    from chartinsightd.cli.views.lists import render_gaps
    from chartinsightd.control.operations import GAPS
    from chartinsightd.control.protocol.coverage import GapQuery

    async def read(client: ControlClient) -> GapList:
        codes = await symbols_of(client, symbols)
        query = made(GapQuery, symbol=codes, timeframe=timeframes, limit=limit, venue=venue)
        return await client.ask(GAPS, query)

    answer = present(connection, read, render_gaps, view)
    end(ExitStatus.FAILED if check and answer.total else ExitStatus.OK)


@click.command()
@symbols_argument()
@click.option(
    "--state",
    "states",
    multiple=True,
    type=click.Choice(["sealed", "unproved", "broken"]),
    help="Only these.",
)
@range_options
@limit_option(1_000)
@check_option("a seal is broken")
@view_options
@venue_option
@pass_connection
def seals(
    connection: Connection,
    symbols: tuple[str, ...],
    states: tuple[str, ...],
    from_day: DayWord | None,
    to_day: DayWord | None,
    limit: int,
    check: bool,
    venue: Venue,
    view: View,
) -> None:
    """Show the proofs that trading days are complete, or what was found instead; newest day first."""
    from chartinsightd.cli.lookup import dates_of, made, symbols_of
    from chartinsightd.cli.views.lists import render_seals
    from chartinsightd.control.operations import SEALS
    from chartinsightd.control.protocol.coverage import SealQuery

    async def read(client: ControlClient) -> SealList:
        first, last = await dates_of(client, from_day, to_day)
        codes = await symbols_of(client, symbols)
        return await client.ask(
            SEALS,
            made(
                SealQuery,
                symbol=codes,
                state=states,
                from_day=first,
                to_day=last,
                limit=limit,
                venue=venue,
            ),
        )

    answer = present(connection, read, render_seals, view)
    is_broken = any(row.state == "broken" for row in answer.items)
    end(ExitStatus.FAILED if check and is_broken else ExitStatus.OK)


@click.command()
@click.argument("symbol", type=SymbolType())
@click.argument("timeframe", metavar="TF", type=TimeframeType())
@range_options
@limit_option(20)
@click.option("--adjusted", is_flag=True, help="In the measure of today: splits and the like applied.")
@as_of_option
@view_options
@venue_option
@pass_connection
def candles(
    connection: Connection,
    symbol: str,
    timeframe: Timeframe,
    from_day: DayWord | None,
    to_day: DayWord | None,
    limit: int,
    adjusted: bool,
    as_of: datetime | None,
    venue: Venue,
    view: View,
) -> None:
    """Show candles of one series, the newest last, the forming one included."""
    from chartinsightd.control.operations import CANDLES, STATUS

    refuse_two_measures(adjusted, as_of)
    from chartinsightd.cli.lookup import dates_of, made, symbol_of
    from chartinsightd.cli.views.lists import render_candles
    from chartinsightd.control.protocol.rows import CandleQuery

    async def read(client: ControlClient) -> CandleList:
        first, last = await dates_of(client, from_day, to_day)
        query = made(
            CandleQuery,
            symbol=await symbol_of(client, symbol),
            venue=venue,
            timeframe=timeframe,
            from_ts=_start_or_none(first),
            to_ts=_start_or_none(last, days=1),
            limit=limit,
            adjusted=adjusted,
            as_of=as_of,
        )
        answer = await client.ask(CANDLES, query)
        if not all(row.final for row in answer.items):
            now.append(await client.ask(STATUS))
        return answer

    now: list[Status] = []  # the newest tells whether the last candle still forms
    present(connection, read, lambda candles: render_candles(candles, now[-1] if now else None), view)


@click.command()
@symbols_argument()
@limit_option(1_000)
@view_options
@pass_connection
def adjustments(connection: Connection, symbols: tuple[str, ...], limit: int, view: View) -> None:
    """Show the corporate actions that adjusted prices take in, the newest first; by default all."""
    from chartinsightd.cli.lookup import made, symbols_of
    from chartinsightd.cli.views.lists import render_adjustments
    from chartinsightd.control.operations import ADJUSTMENTS
    from chartinsightd.control.protocol.rows import AdjustmentQuery

    async def read(client: ControlClient) -> AdjustmentList:
        codes = await symbols_of(client, symbols)
        return await client.ask(ADJUSTMENTS, made(AdjustmentQuery, symbol=codes, limit=limit))

    present(connection, read, render_adjustments, view)


def _start_or_none(day: date | None, days: int = 0) -> object:
    return None if day is None else start_of(day + timedelta(days=days))
