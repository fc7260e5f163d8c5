"""The command `chartinsight-simulator`."""

from __future__ import annotations

import asyncio
import dataclasses
import json
import os
import signal
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import click
import uvloop

from chartinsightd import __version__
from chartinsightd.facts.krx import KST
from chartinsightd.simulator.clock import VirtualClock
from chartinsightd.simulator.correction_log import CorrectionLog
from chartinsightd.simulator.market import FolderRefused, MarketOptions, create_from_folder, create_generated
from chartinsightd.simulator.model import Market
from chartinsightd.simulator.server import open_server
from chartinsightd.simulator.settings import (
    DEFAULT_APP_KEY,
    DEFAULT_SECRET_KEY,
    Profile,
    UnknownOption,
    profile,
    with_options,
)
from chartinsightd.simulator.simulation import Simulation

DEFAULT_START = "2026-11-20T08:50:00+09:00"
"""The morning of a Friday session, ten minutes before the opening."""


@click.command(context_settings={"show_default": True, "help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="chartinsight-simulator")
@click.option("--host", default="127.0.0.1", help="Address to listen on.")
@click.option("--port", default=8500, type=click.IntRange(0, 65535), help="Port; 0 takes a free one.")
@click.option("--start", default=DEFAULT_START, help="Virtual time at the anchor (ISO; KST without a zone).")
@click.option("--speed", default=1.0, type=click.FloatRange(min=0), help="Virtual seconds in a real one.")
@click.option("--anchor", help="Real time at which virtual time is --start (ISO with a zone). [default: now]")
@click.option("--environment", default="real", type=click.Choice(["real", "paper"]), help="Which host to be.")
@click.option(
    "--data",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Folder of real candles to serve instead of generated ones.",
)
@click.option("--symbols", default=30, type=click.IntRange(min=1), help="How many issues to generate.")
@click.option("--seed", default=7, type=int, help="Another seed, another market.")
@click.option(
    "--corrections",
    type=click.Path(dir_okay=False, path_type=Path),
    help="File that keeps corrections over a restart. [default: they are forgotten]",
)
@click.option("--app-key", default=DEFAULT_APP_KEY, help="The app key that is registered.")
@click.option("--secret-key", default=DEFAULT_SECRET_KEY, help="Its secret key.")
@click.option(
    "--account",
    "accounts",
    multiple=True,
    metavar="APP_KEY:SECRET_KEY",
    help="Another account, with limits of its own; may be given again.",
)
@click.option("--option", "options", multiple=True, metavar="NAME=VALUE", help="Set a switch; see --options.")
@click.option(
    "--options",
    "lists_options",
    is_flag=True,
    is_eager=True,
    help="List every switch with its value and leave.",
)
def main(
    host: str,
    port: int,
    start: str,
    speed: float,
    anchor: str | None,
    environment: str,
    data: Path | None,
    symbols: int,
    seed: int,
    corrections: Path | None,
    app_key: str,
    secret_key: str,
    accounts: Sequence[str],
    options: Sequence[str],
    *,
    lists_options: bool,
) -> None:
    """Serve a simulated Kiwoom REST and WebSocket API.

    When it is ready it prints one JSON line with url, websocket_url and pid. SIGTERM and SIGINT stop it.
    """
    broker, stand = _switches(environment, options)
    if lists_options:
        click.echo(json.dumps(dataclasses.asdict(broker) | dataclasses.asdict(stand), indent=2))
        return
    clock = _clock(start, speed, anchor)
    keys = {app_key: secret_key} | dict(_account(one) for one in accounts)
    simulation = Simulation.of(broker, clock, _market(data, symbols, seed, stand), keys)
    if corrections is not None:
        _keep_corrections(simulation, corrections)
    try:
        uvloop.run(serve(simulation, host, port))
    except OSError as error:
        raise click.ClickException(f"cannot listen on {host}:{port}: {error}") from None


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
    if data is None:
        return create_generated(seed, symbols, stand)
    try:
        return create_from_folder(data, stand)
    except FolderRefused as error:
        raise click.ClickException(str(error)) from None


if __name__ == "__main__":
    main()
