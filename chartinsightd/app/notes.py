"""Notes, as the settings want them."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

from chartinsightd.app.analysis import analyser_code
from chartinsightd.app.shared import Shared
from chartinsightd.backend.notes import NoteBoard
from chartinsightd.control.handlers import Handlers
from chartinsightd.domain.errors import ConfigurationError
from chartinsightd.notes.prompt import Prompt, PromptError, parse_prompt
from chartinsightd.ports.notes import Completer
from chartinsightd.service.notes.note_writer import NoteWriter
from chartinsightd.service.notes.stock_facts import StockFacts
from chartinsightd.settings.ai import AiSettings

_SET_A_KEY = "Set CHARTINSIGHT_AI__API_KEY or the systemd credential ai_api_key, and restart."
_SET_A_PROVIDER = 'Set ai.provider to "gemini" or "openai" and restart, or ask for provider "template".'
_MOST_BYTES = 100_000


def register_notes(handlers: Handlers, shared: Shared) -> None:
    """Offer notes over the control API."""
    settings, stores = shared.settings, shared.resources.analysis
    completer = new_completer(settings.ai)
    writer = NoteWriter(
        facts=StockFacts(reader=stores.reader, findings=stores.results, analyser=analyser_code()),
        store=stores.notes,
        completer=completer,
        missing=_SET_A_KEY if settings.ai.provider else _SET_A_PROVIDER,
        prompts=prompts_of(settings.ai.prompts),
        requests_per_day=settings.ai.requests_per_day,
        clock=shared.clock,
    )
    NoteBoard(writer=writer, store=stores.notes, names=shared.resources.archive.names).register(handlers)


def new_completer(ai: AiSettings) -> Completer | None:
    """Return the model that is set up; None where there is none, or none that could answer."""
    key = ai.api_key.get_secret_value()
    if ai.provider == "gemini" and key:
        from chartinsightd.adapters.ai.gemini import Gemini

        return Gemini(key=key, model=ai.model, base_url=ai.base_url)
    if ai.provider == "openai" and (key or ai.base_url):  # a server of one's own needs no key
        from chartinsightd.adapters.ai.openai import OpenAICompatible

        return OpenAICompatible(key=key, model=ai.model, base_url=ai.base_url)
    return None


def prompts_of(folder: Path | None) -> dict[str, Prompt]:
    """Return the shipped prompts and those of a folder, by id; one of the folder replaces a shipped one.

    Raises:
        ConfigurationError: a file of the folder is no prompt.
    """
    shipped = [
        (one.name, one.read_text("utf-8"))
        for one in files("chartinsightd.notes").joinpath("prompts").iterdir()
        if one.name.endswith(".md")
    ]
    try:
        found = [parse_prompt(text, name) for name, text in [*shipped, *_of_folder(folder)]]
    except PromptError as error:
        raise ConfigurationError(
            f"ai.prompts: {error}.", remedy="Correct the file, or take it away."
        ) from None
    return {prompt.head.id: prompt for prompt in found}


def _of_folder(folder: Path | None) -> list[tuple[str, str]]:
    if folder is None:
        return []
    try:
        names = sorted(path for path in folder.glob("*.md") if path.is_file())
        if any(path.stat().st_size > _MOST_BYTES for path in names):
            raise PromptError(f"a file is larger than {_MOST_BYTES:,} bytes")
        return [(path.name, path.read_text("utf-8")) for path in names]
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(
            f"ai.prompts: the folder {folder} cannot be read ({type(error).__name__}).",
            remedy="Correct ai.prompts, or let the daemon's user read it.",
        ) from None
