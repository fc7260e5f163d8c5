"""Serves a market as the options of the command want it."""

from __future__ import annotations

import asyncio
import dataclasses
import json
import os
import signal
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import click
import uvloop

from chartinsightd.facts.krx import KST
from chartinsightd.simulator.clock import VirtualClock
from chartinsightd.simulator.correction_log import CorrectionLog
from chartinsightd.simulator.market import (
    FolderRefused,
    MarketOptions,
    VenueMarket,
    create_from_folder,
    create_generated,
)
from chartinsightd.simulator.model import Market
from chartinsightd.simulator.server import open_server
from chartinsightd.simulator.settings import Profile, UnknownOption, profile, with_options
from chartinsightd.simulator.simulation import Simulation


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """The options of the command, by their names."""

    host: str
    port: int
    start: str
    speed: float
    anchor: str | None
    environment: str
    data: Path | None
    symbols: int
    seed: int
    corrections: Path | None
    app_key: str
    secret_key: str
    accounts: Sequence[str]
    options: Sequence[str]
    lists_options: bool


def run(chosen: Chosen) -> None:
    """List the switches, or serve until SIGTERM or SIGINT.

    Raises:
        ClickException: an option is wrong, or the address is taken.
    """
    broker, stand = _switches(chosen.environment, chosen.options)
    if chosen.lists_options:
        click.echo(json.dumps(dataclasses.asdict(broker) | dataclasses.asdict(stand), indent=2))
        return
    clock = _clock(chosen.start, chosen.speed, chosen.anchor)
    keys = {chosen.app_key: chosen.secret_key} | dict(_account(one) for one in chosen.accounts)
    simulation = Simulation.of(broker, clock, _market(chosen.data, chosen.symbols, chosen.seed, stand), keys)
    if chosen.corrections is not None:
        _keep_corrections(simulation, chosen.corrections)
    try:
        uvloop.run(serve(simulation, chosen.host, chosen.port))
    except OSError as error:
        raise click.ClickException(f"cannot listen on {chosen.host}:{chosen.port}: {error}") from None


async def serve(simulation: Simulation, host: str, port: int) -> None:
    """Serve until SIGTERM or SIGINT; print where, once it is ready."""
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with open_server(simulation, host, port) as address:
        click.echo(json.dumps({**dataclasses.asdict(address), "pid": os.getpid()}))
        await stop.wait()


def _keep_corrections(simulation: Simulation, path: Path) -> None:
    try:
        simulation.keep_corrections(CorrectionLog(path))
    except (OSError, ValueError) as error:
        raise click.BadParameter(f"{path}: {error}", param_hint="--corrections") from None


def _switches(environment: str, options: Sequence[str]) -> tuple[Profile, MarketOptions]:
    texts = dict(_named(option) for option in options)
    market_names = {field.name for field in dataclasses.fields(MarketOptions)}
    of_market = {name: texts.pop(name) for name in market_names & texts.keys()}
    try:
        return with_options(profile(environment), texts), with_options(MarketOptions(), of_market)
    except UnknownOption as error:
        raise click.BadParameter(str(error), param_hint="--option") from None


def _named(option: str) -> tuple[str, str]:
    name, equals, value = option.partition("=")
    if not equals:
        raise click.BadParameter(f"{option!r} is not NAME=VALUE", param_hint="--option")
    return name, value


def _account(option: str) -> tuple[str, str]:
    app_key, colon, secret_key = option.partition(":")
    if not (app_key and colon and secret_key):
        raise click.BadParameter(f"{option!r} is not APP_KEY:SECRET_KEY", param_hint="--account")
    return app_key, secret_key


def _clock(start: str, speed: float, anchor: str | None) -> VirtualClock:
    begins = _moment(start, "--start")
    begins = begins if begins.tzinfo is not None else begins.replace(tzinfo=KST)
    if anchor is None:
        return VirtualClock(start=begins, speed=speed)
    fixed = _moment(anchor, "--anchor")
    if fixed.tzinfo is None:
        raise click.BadParameter("give a zone, as in 2026-11-21T08:00:00+09:00", param_hint="--anchor")
    return VirtualClock(start=begins, speed=speed, anchor=fixed.timestamp())


def _moment(text: str, option: str) -> datetime:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        raise click.BadParameter(f"not an ISO time: {text!r}", param_hint=option) from None


def _market(data: Path | None, symbols: int, seed: int, stand: MarketOptions) -> Market:
    try:
        krx = create_generated(seed, symbols, stand) if data is None else create_from_folder(data, stand)
        return VenueMarket(krx, late_days=stand.nxt_days_late)
    except FolderRefused as error:
        raise click.ClickException(str(error)) from None
