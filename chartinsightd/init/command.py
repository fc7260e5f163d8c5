"""Carries out `chartinsightd init`: asks, shows what changes, writes it as one, and checks it."""

from __future__ import annotations

import difflib
import os
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import click

from chartinsightd import resources
from chartinsightd.domain.errors import ConfigurationError
from chartinsightd.domain.language import language_of
from chartinsightd.init.answers import AnswerRefused, Answers, Environment
from chartinsightd.init.keys import SYSTEM_FOLDER, KeyStore, Place
from chartinsightd.init.new_files import NewFile, write_together
from chartinsightd.init.questions import Given, Questioner
from chartinsightd.init.words import Words
from chartinsightd.process.exit_status import ExitStatus
from chartinsightd.settings.loading import CONFIG_VARIABLE
from chartinsightd.settings.writing import with_changes

INTERRUPTED = 130
_UNIT = Path("/etc/systemd/system/chartinsightd.service")


def run_init(config: Path | None, given: Given, place: Place, *, is_agreed: bool, is_checked: bool) -> int:
    """Ask, write and check; return the exit status.

    Args:
        config: the settings file; None for the user's own, root's being the system's.
        given: the options.
        place: what keeps the keys.
        is_agreed: whether what is there may be replaced without asking.
        is_checked: whether `chartinsightd check` follows.
    """
    words = Words(language_of(os.environ))
    try:
        return _run(config or default_config_path(), given, place, words, is_agreed, is_checked)
    except click.Abort:
        _say("\n" + words.put("done.nothing"))
        return INTERRUPTED
    except AnswerRefused as error:
        _say(f"chartinsightd init: {words.put(error.key, **error.values)}")
    except ConfigurationError as error:
        _say(f"chartinsightd init: {error}")
    except OSError as error:
        _say(f"chartinsightd init: {words.put('refused.file', path=error.filename, why=error.strerror)}")
        _say(f"  -> {words.put('remedy.file')}")
    return ExitStatus.CONFIGURATION


def default_config_path() -> Path:
    """Return which settings file is written: the first place where the daemon of this user looks."""
    if named := os.environ.get(CONFIG_VARIABLE):
        return Path(named)
    if os.geteuid() == 0:
        return SYSTEM_FOLDER / "config.toml"
    base = Path(os.environ.get("XDG_CONFIG_HOME") or "~/.config").expanduser()
    return base / "chartinsight" / "config.toml"


def _run(config: Path, given: Given, place: Place, words: Words, is_agreed: bool, is_checked: bool) -> int:
    questioner = Questioner(words)
    store = KeyStore(config=config.absolute(), place=place)
    answers = questioner.answers(given)
    keys = questioner.keys(given, answers.environment, store)
    files = (*(store.files(*keys) if keys else ()), _settings_file(store.config, answers))
    if not _is_agreed(files, questioner, words, is_agreed):
        _say(words.put("done.nothing"))
        return ExitStatus.CONFIGURATION
    write_together([file for file in files if file.found != file.text])
    _say(words.put("done.written" if is_checked else "done.unchecked"))
    status = _check(store) if is_checked else ExitStatus.OK
    _say_next(store, answers, words, is_well=status == ExitStatus.OK)
    return status


def _settings_file(path: Path, answers: Answers) -> NewFile:
    found = NewFile(path=path, text="", mode=0o644).found
    text = with_changes(resources.default_config() if found is None else found, answers.changes())
    return NewFile(path=path, text=text, mode=0o644)


def _is_agreed(files: Sequence[NewFile], questioner: Questioner, words: Words, is_agreed: bool) -> bool:
    """Show what would be written, and ask; without a terminal only what is new is written unasked."""
    overwrites = False
    for file in files:
        found = file.found
        state = "new" if found is None else "same" if found == file.text else "changed"
        _say(words.put(f"plan.{state}", path=file.path))
        overwrites = overwrites or state == "changed"
        if state == "changed" and file.mode != 0o600:
            _say("".join(_difference(found or "", file.text)))
    if is_agreed:
        return True
    if questioner.is_asking:
        return questioner.agrees(overwrites=overwrites)
    if overwrites:
        raise AnswerRefused("missing.yes")
    return True


def _difference(before: str, after: str) -> Iterator[str]:
    lines = difflib.unified_diff(before.splitlines(keepends=True), after.splitlines(keepends=True), n=0)
    return (f"    {line}" for line in lines if not line.startswith(("---", "+++", "@@")))


def _check(store: KeyStore) -> int:
    from chartinsightd.app.check import run_check  # PostgreSQL and HTTP: not before the first question

    with _as_started_by_hand(store):
        return run_check(store.config)


@contextmanager
def _as_started_by_hand(store: KeyStore) -> Iterator[None]:
    """Let the check find the keys; the state folder of a service is the service's own to make."""
    before = dict(os.environ)
    os.environ.update(store.environment())
    try:
        if store.config.parent != SYSTEM_FOLDER or "STATE_DIRECTORY" in os.environ:
            yield
            return
        with tempfile.TemporaryDirectory(prefix="chartinsight-check-") as folder:
            Path(folder).chmod(0o755)  # the embedded PostgreSQL of root runs as another account
            os.environ["STATE_DIRECTORY"] = folder
            yield
    finally:
        os.environ.clear()
        os.environ.update(before)


def _say_next(store: KeyStore, answers: Answers, words: Words, *, is_well: bool) -> None:
    program = Path(sys.executable).parent / "chartinsightd"
    named = "" if store.config == default_config_path().absolute() else f" --config '{store.config}'"
    by_hand = store.shell(f"{program}{named}")
    if not is_well:
        _say(words.put("next.failed", command=by_hand))
        return
    _say(words.put("next.title"))
    _say(words.put("next.foreground", command=by_hand))
    is_simulated = answers.environment is Environment.SIMULATION
    if store.config.parent == SYSTEM_FOLDER:
        first = "" if _UNIT.exists() else f"{program} install --write && "
        _say(words.put("next.service", command=f"{first}systemctl enable --now chartinsightd"))
    elif not is_simulated:
        _say(words.put("next.service", command=f"sudo {program} install --write && sudo {program} init"))
    _say(words.put("next.look", command=program.with_name("chartinsight-tui")))
    if not is_simulated:
        _say(words.put("next.learn", command=by_hand))


def _say(text: str) -> None:
    click.echo(text.removesuffix("\n"), err=True)
