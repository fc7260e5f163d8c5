"""`chartinsightd install`: what a machine needs to run the daemon under systemd."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import click

from chartinsightd import resources
from chartinsightd.domain.errors import ChartInsightError, ConfigurationError
from chartinsightd.process.exit_status import ExitStatus

SHIPPED_COMMAND = "/opt/chartinsight/bin/chartinsightd"
"""The command that the units name as they are shipped; rendering puts the real one in its place."""

_UNITS = ("chartinsightd.service", "chartinsightd-alert@.service")
_PLAIN_PATH = re.compile(r"[\w./ +@,:=-]+")
"""Nothing that systemd would read as more than a letter: no quotes, no specifier, no variable."""
_HIDDEN = ("/home", "/root", "/run/user", "/tmp", "/var/tmp")
"""What ProtectHome and PrivateTmp of the unit hide from the daemon."""

_STEPS = """\
Then, as root:
  systemd-ask-password "Kiwoom app key:" > /etc/credstore/kiwoom_app_key
  systemd-ask-password "Kiwoom secret key:" > /etc/credstore/kiwoom_secret_key
  systemctl enable --now chartinsightd
  usermod --append --groups chartinsight NAME     # who may use the control socket, from their next login
Settings: /etc/chartinsight/config.toml, then `systemctl reload-or-restart chartinsightd`.
Log: journalctl -u chartinsightd -f"""


@dataclass(frozen=True, slots=True, kw_only=True)
class InstalledFile:
    """A file of the installation."""

    path: Path
    """Absolute, as the machine will see it."""
    text: str
    is_theirs: bool = False
    """Whether it belongs to the person once it is there, and is never replaced."""


def render_units(command: Path) -> dict[str, str]:
    """Return the units, by name, for a daemon at `command`.

    Raises:
        ConfigurationError: systemd could misread the path.
    """
    if not command.is_absolute() or not _PLAIN_PATH.fullmatch(str(command)):
        raise ConfigurationError(
            f"systemd cannot be told of a command at {str(command)!r}.",
            remedy="Install into a folder with a plain name, such as /opt/chartinsight.",
        )
    shown = f'"{command}"' if " " in str(command) else str(command)
    return {
        name: resources.systemd_file(name).replace(f"ExecStart={SHIPPED_COMMAND}\n", f"ExecStart={shown}\n")
        for name in _UNITS
    }


def planned_files(command: Path) -> tuple[InstalledFile, ...]:
    """Return all files of an installation whose daemon is at `command`.

    Raises:
        ConfigurationError: see `render_units`.
    """
    units = [
        InstalledFile(path=Path("/etc/systemd/system") / name, text=text)
        for name, text in render_units(command).items()
    ]
    lists = [
        InstalledFile(path=Path("/etc") / name, text=resources.systemd_file(name))
        for name in ("sysusers.d/chartinsight.conf", "tmpfiles.d/chartinsight.conf")
    ]
    config = InstalledFile(
        path=Path("/etc/chartinsight/config.toml"), text=resources.default_config(), is_theirs=True
    )
    return (*units, *lists, config)


def check_reachable(paths: Iterable[Path]) -> None:
    """Make sure that the daemon's own user, in its sandbox, can reach what it needs to run.

    Raises:
        ConfigurationError: it cannot; the message says why and what to do.
    """
    for path in paths:
        if (why := _hindrance(path)) is not None:
            raise ConfigurationError(
                f"The daemon could not run from {path}: {why}.",
                remedy="Install into a folder that all users may enter, such as /opt/chartinsight, "
                "with a Python that lies in one too.",
            )


def _hindrance(path: Path) -> str | None:
    if hidden := next((folder for folder in _HIDDEN if path.is_relative_to(folder)), None):
        return f"its unit hides {hidden} from it"
    closed = next((folder for folder in path.parents if not folder.stat().st_mode & 0o001), None)
    return f"its user may not enter {closed}" if closed else None


def write_files(files: Sequence[InstalledFile], root: Path) -> dict[Path, str]:
    """Write files below `root`, each as a whole or not at all; say what was done with each.

    Returns:
        By path: `written`, `unchanged`, or `kept` for the person's own that was there already.

    Raises:
        OSError: a file cannot be written.
    """
    return {file.path: _write(file, root / file.path.relative_to("/")) for file in files}


def _write(file: InstalledFile, place: Path) -> str:
    found = place.read_text(encoding="utf-8") if place.exists() else None
    if found == file.text:
        return "unchanged"
    if found is not None and file.is_theirs:
        return "kept"
    place.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
    draft = place.with_name(f".{place.name}.new")
    draft.write_text(file.text, encoding="utf-8")
    draft.chmod(0o644)
    draft.replace(place)
    return "written"


def activation(files: Mapping[Path, str]) -> list[list[str]]:
    """Return the commands that make the machine take note of the files, in order."""
    lists = [path for path in files if path.parent.name in {"sysusers.d", "tmpfiles.d"}]
    tools = {"sysusers.d": ["systemd-sysusers"], "tmpfiles.d": ["systemd-tmpfiles", "--create"]}
    return [*([*tools[path.parent.name], str(path)] for path in lists), ["systemctl", "daemon-reload"]]


def _own_command() -> Path:
    """Return where this installation's daemon is.

    Raises:
        ConfigurationError: nowhere, or where the service could not run it.
    """
    command = Path(sys.executable).parent / "chartinsightd"
    if not command.is_file():
        raise ConfigurationError(
            f"There is no command {command}.", remedy="Install the package with pip, into a separate venv."
        )
    check_reachable((command, Path(sys.executable).resolve(), Path(resources.__file__)))
    return command


@click.command()
@click.option("--write", is_flag=True, help="Write the files and make systemd read them; needs root.")
@click.option(
    "--root",
    type=click.Path(path_type=Path, file_okay=False, exists=True),
    default="/",
    help="Write below this folder instead, for an image; runs nothing.",
)
def install(root: Path, *, write: bool) -> None:
    """Print what this machine needs to run the daemon under systemd, or write it.

    Units, user and folders are written again each time; an existing /etc/chartinsight/config.toml is kept.
    """
    try:
        files = planned_files(_own_command())
        if write:
            _carry_out(files, root)
        else:
            _print_files(files)
    except ChartInsightError as error:
        _fail(error.message, error.remedy, ExitStatus.CONFIGURATION)
    except OSError as error:
        remedy = "Run it as root, such as with sudo." if isinstance(error, PermissionError) else ""
        _fail(f"{error.filename}: {error.strerror}.", remedy, ExitStatus.FAILED)
    except subprocess.CalledProcessError as error:
        _fail(f"{' '.join(error.cmd)} ended with status {error.returncode}.", "", ExitStatus.FAILED)
    click.echo(_STEPS, err=not write)


def _carry_out(files: Sequence[InstalledFile], root: Path) -> None:
    done = write_files(files, root)
    for path, what in done.items():
        click.echo(f"{what:<10} {path}")
    if root == Path("/"):
        for command in activation(done):
            click.echo(f"ran        {' '.join(command)}")
            subprocess.run(command, check=True, env={**os.environ, "SYSTEMD_PAGER": ""})


def _print_files(files: Sequence[InstalledFile]) -> None:
    for file in files:
        click.echo(f"# ---- {file.path}\n{file.text}")


def _fail(message: str, remedy: str, status: ExitStatus) -> None:
    click.echo(f"chartinsightd install: {message}", err=True)
    if remedy:
        click.echo(f"  -> {remedy}", err=True)
    sys.exit(status)
