"""The command `chartinsight-tui`."""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from chartinsightd import __version__

if TYPE_CHECKING:
    from textual.filter import LineFilter

    from chartinsightd.control.client import ControlClient

_THEMES = ("dark", "light", "contrast", "colour-blind")
_SOCKET_VARIABLE = "CHARTINSIGHT_CONTROL__SOCKET"


@click.command(context_settings={"help_option_names": ["-h", "--help"], "show_default": True})
@click.version_option(__version__, prog_name="chartinsight-tui")
@click.option(
    "--socket",
    type=click.Path(path_type=Path),
    envvar=_SOCKET_VARIABLE,
    help="The daemon's Unix socket. [default: where chartinsightd has it]",
)
@click.option("--read-only", is_flag=True, help="Offer nothing that changes the daemon.")
@click.option("--theme", type=click.Choice(_THEMES), help="Colours. [default: as last time, else dark]")
@click.option(
    "--rise",
    type=click.Choice(["red", "green"]),
    help="Colour of rising prices. [default: as last time, else red]",
)
@click.option(
    "--language",
    type=click.Choice(["ko", "en"]),
    help="Of all texts. [default: as last time, else by locale]",
)
@click.option(
    "--signs",
    type=click.Choice(["auto", "full", "ascii"]),
    help="Set of signs; auto: ASCII where TERM is linux or dumb, the locale is not UTF-8, or the terminal "
    "draws signs two cells wide. "
    "[default: as last time, else auto]",
)
@click.option("--hints", is_flag=True, help="Show the five hints of the first minute again.")
def main(
    socket: Path | None,
    read_only: bool,
    theme: str | None,
    rise: str | None,
    language: str | None,
    signs: str | None,
    hints: bool,
) -> None:
    """Show what chartinsightd does, in the terminal. Works with the daemon away, and says so.

    Keys of your own stand in ~/.config/chartinsight/keys.toml; docs/dashboard.md has an example.
    """
    if not (sys.stdin.isatty() and sys.stderr.isatty()):  # Textual draws on stderr
        raise click.UsageError(
            "The dashboard needs a terminal. For scripts there is `chartinsightctl status`."
        )
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "1")  # else it looks through all that is installed
    gc.disable()  # until the dashboard has its code: what is imported lives to the end

    from chartinsight_tui import choices, keymap, last_picture
    from chartinsight_tui.app import Dashboard
    from chartinsight_tui.clock import SystemClock
    from chartinsight_tui.hangup import end_with_terminal
    from chartinsightd.domain.language import language_of

    file = choices.choices_file(os.environ)
    given = {"theme": theme, "rise": rise, "language": language, "signs": signs}
    kept = choices.KeptChoices(file, choices.read_choices(file))
    if any(given.values()):
        kept.keep(**given)
    chosen = kept.chosen
    try:
        keys = keymap.read_keys(file.with_name("keys.toml"))
    except keymap.WrongKeys as error:
        raise click.UsageError(str(error)) from error
    end_with_terminal(sys.stdin.fileno())
    picture = last_picture.picture_file(os.environ, str(socket or ""))
    Dashboard(
        _opener(socket),
        SystemClock(),
        language="ko" if (chosen.language or language_of(os.environ)) == "ko" else "en",
        colours=chosen.theme or _THEMES[0],
        rise_is_red=chosen.rise != "green",
        read_only=read_only,
        keys=keys,
        signs=_signs(chosen.signs or "auto"),
        remember=lambda theme, rise: kept.keep(theme=theme, rise=rise),
        has_hints=hints or chosen.hints is None,
        end_hints=lambda: kept.keep(hints="seen"),
        last_picture=last_picture.read_picture(picture),
        keep_picture=lambda seen: last_picture.write_picture(picture, seen),
    ).run()


def _signs(chosen: str) -> LineFilter | None:
    """Return what redraws lines in ASCII, where that was chosen or the terminal needs it."""
    from chartinsight_tui.sign_width import is_wide
    from chartinsight_tui.signs import AsciiSigns, has_unicode, is_poor

    if chosen == "full":
        return None
    if chosen == "auto" and not (is_poor(os.environ) or is_wide(sys.stdin.fileno(), sys.stderr.fileno())):
        return None
    return AsciiSigns(keeps_hangul=has_unicode(os.environ))


def _opener(socket: Path | None) -> Callable[[], AbstractAsyncContextManager[ControlClient]]:
    """Return what makes a client. The HTTP library is loaded at the first call, after the first picture."""

    def open_client() -> AbstractAsyncContextManager[ControlClient]:
        from chartinsightd.control.client import ControlClient
        from chartinsightd.control.socket_path import default_socket

        return ControlClient(socket or default_socket())

    return open_client


if __name__ == "__main__":
    main()
