"""Make `.venv` at the top of the checkout from `requirements.txt`, and install the project into it.

`script/setup` starts this file with the first Python it finds that is new enough; the standard library is all
that it needs. Packages come through uv where it is at hand, else through Python's own venv and pip; either
checks the same hashes. Nothing is written outside the checkout: downloads stay in `.state/cache`, unless the
user chose another place.
"""

from __future__ import annotations

import fcntl
import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

FOREIGN_SETTINGS = (
    "PIP_PREFIX",
    "PIP_TARGET",
    "PIP_USER",
    "PYTHONHOME",
    "PYTHONPATH",
    "UV_SYSTEM_PYTHON",
    "VIRTUAL_ENV",
)
"""Variables that would send the packages to another place than `.venv`."""


class SetupError(Exception):
    """The environment cannot be made; the text says what to do."""


@dataclass(frozen=True, slots=True)
class Checkout:
    """The folder the environment belongs to; `root` is absolute."""

    root: Path

    @property
    def venv(self) -> Path:
        """The environment."""
        return self.root / ".venv"

    @property
    def python(self) -> Path:
        """The environment's interpreter."""
        return self.venv / "bin" / "python"

    @property
    def origin(self) -> Path:
        """The file that says where and with which Python the environment was made."""
        return self.venv / "setup-origin"

    @property
    def stamp(self) -> Path:
        """The file that says what was installed; absent while that is going on."""
        return self.venv / "setup-stamp"

    @property
    def state(self) -> Path:
        """Where setup keeps its lock and its downloads."""
        return self.root / ".state"


@dataclass(frozen=True, slots=True, kw_only=True)
class Host:
    """What this machine offers for making an environment."""

    python: str
    uv: tuple[str, ...] = ()
    """The command line that runs uv; empty where there is none."""
    has_ensurepip: bool = False
    has_pip: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Installer:
    """The command lines that make an environment and fill it."""

    name: str
    make_venv: tuple[str, ...]
    fill: tuple[str, ...]
    install_project: tuple[str, ...]


def main() -> int:
    """Bring the environment up to date; return the exit status."""
    checkout = Checkout(Path(__file__).resolve().parents[1])
    try:
        if not is_current(checkout):
            with locked(checkout):
                set_up(checkout)
    except SetupError as error:
        say(str(error))
    except subprocess.CalledProcessError as error:
        say(f"{Path(error.cmd[0]).name} ended with status {error.returncode}; what it said is above.")
    except PermissionError as error:
        say(f"cannot write {error.filename}: another user owns it or its folder. Run this as that user.")
    except KeyboardInterrupt:
        return 130
    else:
        return 0
    return 1


def is_current(checkout: Checkout) -> bool:
    """Whether the environment is there and holds what the files of the checkout ask for."""
    return (
        checkout.python.exists()
        and _read(checkout.origin) == origin(checkout)
        and _read(checkout.stamp) == contents(checkout)
    )


def origin(checkout: Checkout) -> str:
    """Return what an environment cannot survive a change of: its place and its Python."""
    return f"{checkout.root}\n{Path(sys.base_prefix).resolve()}\n{sys.version}\n"


def contents(checkout: Checkout) -> str:
    """Return a hash of everything that decides what is installed."""
    files = (checkout.root / "requirements.txt", checkout.root / "pyproject.toml", Path(__file__))
    return hashlib.sha256(b"".join(path.read_bytes() for path in files)).hexdigest()


def _read(path: Path) -> str | None:
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return None


@contextmanager
def locked(checkout: Checkout) -> Iterator[None]:
    """Keep other setups of the same checkout out; the kernel lets go of the lock when the process ends."""
    checkout.state.mkdir(exist_ok=True)
    with (checkout.state / "setup.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("waiting for another setup of this checkout")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def set_up(checkout: Checkout) -> None:
    """Make or update the environment; call it with the lock held.

    Raises:
        SetupError: this machine lacks something.
        subprocess.CalledProcessError: an installer failed; its own words are on stderr.
    """
    if is_current(checkout):  # the setup that held the lock did it
        return
    started_s = time.monotonic()
    installer = choose_installer(checkout, this_host())
    say(f"installing with {installer.name} for Python {sys.version.split()[0]} into {checkout.venv}")
    make_venv(checkout, installer)
    checkout.stamp.unlink(missing_ok=True)
    run(checkout, installer.fill)
    run(checkout, installer.install_project)
    byte_compile(checkout)
    checkout.stamp.write_text(contents(checkout), encoding="utf-8")
    say(f"ready after {time.monotonic() - started_s:.0f} s")


def this_host() -> Host:
    """Look at what this machine offers."""
    return Host(
        python=getattr(sys, "_base_executable", sys.executable),
        uv=_working_uv(),
        has_ensurepip=_has_module("ensurepip"),
        has_pip=_has_module("pip"),
    )


def _working_uv() -> tuple[str, ...]:
    on_path = shutil.which("uv")
    candidates: list[tuple[str, ...]] = [(on_path,)] if on_path else []
    if _has_module("uv"):
        candidates.append((sys.executable, "-I", "-m", "uv"))
    # A uv on PATH may be a shim that leads nowhere, so it is asked.
    return next((uv for uv in candidates if _succeeds((*uv, "--version"))), ())


def _has_module(name: str) -> bool:
    spec = importlib.util.find_spec(name)
    return spec is not None and spec.origin is not None  # what a removed package leaves behind has no origin


def _succeeds(command: Sequence[str]) -> bool:
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


def choose_installer(checkout: Checkout, host: Host) -> Installer:
    """Return the best installer this machine has.

    Raises:
        SetupError: it has none.
    """
    if host.uv:
        return uv_installer(checkout, host)
    if host.has_ensurepip:
        return pip_installer(checkout, host, (), (str(checkout.python), "-I", "-m", "pip"))
    if host.has_pip:
        pip = (host.python, "-I", "-m", "pip", "--python", str(checkout.python))
        return pip_installer(checkout, host, ("--without-pip",), pip)
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    raise SetupError(
        f"{host.python} can make no environment: it has neither pip nor ensurepip, and there is no uv.\n"
        f"Install one. Debian, Ubuntu: apt install python{version}-venv. Fedora: dnf install python3-pip.\n"
        "Without root: install uv, https://docs.astral.sh/uv/, so that it is on PATH."
    )


def uv_installer(checkout: Checkout, host: Host) -> Installer:
    """Return the commands of uv."""
    pip = (*host.uv, "pip")
    there = ("--python", str(checkout.python))
    requirements = str(checkout.root / "requirements.txt")
    return Installer(
        name="uv",
        make_venv=(*host.uv, "venv", "--quiet", "--python", host.python, str(checkout.venv)),
        fill=(*pip, "sync", *there, "--require-hashes", "--compile-bytecode", requirements),
        install_project=(*pip, "install", "--quiet", *there, *_project(checkout)),
    )


def pip_installer(
    checkout: Checkout, host: Host, venv_options: tuple[str, ...], pip: tuple[str, ...]
) -> Installer:
    """Return the commands of Python's own venv and pip."""
    requirements = str(checkout.root / "requirements.txt")
    install = (*pip, "install", "--quiet")
    return Installer(
        name="pip (half a minute or more)",
        make_venv=(host.python, "-I", "-m", "venv", *venv_options, str(checkout.venv)),
        fill=(*install, "--require-hashes", "-r", requirements),
        install_project=(*install, *_project(checkout)),
    )


def _project(checkout: Checkout) -> tuple[str, ...]:
    # What builds the project is pinned in requirements.txt: no second, unpinned download for it.
    return ("--no-deps", "--no-build-isolation", "--editable", str(checkout.root))


def make_venv(checkout: Checkout, installer: Installer) -> None:
    """Make the environment anew, unless it was made here and with this Python."""
    if checkout.python.exists() and _read(checkout.origin) == origin(checkout):
        return
    if checkout.venv.exists():
        shutil.rmtree(checkout.venv)
    run(checkout, installer.make_venv)
    checkout.origin.write_text(origin(checkout), encoding="utf-8")


def byte_compile(checkout: Checkout) -> None:
    """Compile the project's modules, so that the first start of a command is not the slow one."""
    packages = [name for name in ("chartinsightd", "tui") if (checkout.root / name).is_dir()]
    command = (str(checkout.python), "-I", "-m", "compileall", "-q", *packages)
    # A module that does not compile is for the tests to report; the environment is good.
    subprocess.run(command, cwd=checkout.root, check=False, stdout=sys.stderr)


def run(checkout: Checkout, command: Sequence[str]) -> None:
    """Run an installer's command; what it prints goes to stderr.

    Raises:
        subprocess.CalledProcessError: it failed.
    """
    env = tool_environment(checkout, os.environ)
    subprocess.run(command, cwd=checkout.root, env=env, check=True, stdout=sys.stderr)


def tool_environment(checkout: Checkout, env: Mapping[str, str]) -> dict[str, str]:
    """Return the variables an installer runs with: nothing leads it out of the checkout."""
    cache = checkout.state / "cache"
    defaults = {
        "PIP_CACHE_DIR": str(cache / "pip"),
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        "PIP_ROOT_USER_ACTION": "ignore",
        "UV_CACHE_DIR": str(cache / "uv"),
        "UV_PYTHON_DOWNLOADS": "never",
    }
    return defaults | {name: value for name, value in env.items() if name not in FOREIGN_SETTINGS}


def say(text: str) -> None:
    """Tell the person something."""
    print(f"setup: {text}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
