"""The verb `note`: what the store says of stocks, in sentences."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from chartinsightd.cli.connection import Connection, pass_connection
from chartinsightd.cli.endings import say
from chartinsightd.cli.parameters import json_option, symbols_argument
from chartinsightd.cli.present import print_data, print_json

if TYPE_CHECKING:
    from chartinsightd.control.client import ControlClient
    from chartinsightd.control.protocol.notes import Note

_REASONS = {
    "budget": "the budget of the day is used up",
    "busy": "the provider has had enough requests for now",
    "all_struck": "every sentence of the model held something that is no fact",
    "no_data": "no final daily candles are stored",
}


@click.command()
@symbols_argument(required=True)
@click.option("--prompt", default="daily", show_default=True, help="What the model is asked.")
@click.option(
    "--provider",
    type=click.Choice(["template", "gemini", "openai"]),
    help="Who writes. Default: the model that is set up, else the template.",
)
@click.option(
    "--language", type=click.Choice(["ko", "en"]), default="ko", show_default=True, help="Of the sentences."
)
@json_option
@pass_connection
def note(
    connection: Connection,
    symbols: tuple[str, ...],
    prompt: str,
    provider: str | None,
    language: str,
    as_json: bool,
) -> None:
    """Write a note on stocks, of which every figure is a stored row.

    The same question over the same candles gives the stored note. Without a model, or when it fails, fixed
    sentences are filled in, and the last line says why.
    """
    from chartinsightd.cli.lookup import made, symbols_of
    from chartinsightd.cli.views.notes import render_note
    from chartinsightd.control.operations import WRITE_NOTE
    from chartinsightd.control.protocol.notes import NoteAsk

    async def write(client: ControlClient) -> Note:
        codes = await symbols_of(client, symbols)
        asked = made(NoteAsk, symbols=codes, prompt=prompt, provider=provider, language=language)
        return await client.ask(WRITE_NOTE, asked)

    answer = connection.ask(write)
    if as_json:
        print_json(answer)
    else:
        print_data(render_note(answer))
    if answer.provider != "template" and answer.source == "template":
        say(f"chartinsightctl: Written from the template: {_REASONS.get(answer.reason, answer.reason)}.")
