"""`script/setup` as a stranger meets it; what needs a network is in the soak test at the end."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[2]
OLD_PYTHON = """#!/bin/sh
[ "$1" = -V ] && echo "Python 3.9.2" && exit
exit 1
"""


def load_bootstrap(file: Path = ROOT / "script" / "bootstrap.py") -> ModuleType:
    """Import the bootstrap program, which belongs to no package."""
    spec = importlib.util.spec_from_file_location("bootstrap", file)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules["bootstrap"] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


bootstrap = load_bootstrap()


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """What `script/setup` reads, in a folder whose name has a space."""
    folder = tmp_path / "a clone"
    shutil.copytree(ROOT / "script", folder / "script", ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "requirements.txt"):
        shutil.copy(ROOT / name, folder)
    return folder


@pytest.fixture
def commands(tmp_path: Path) -> Path:
    """A folder to be the whole PATH: a shell's needs, and no Python."""
    folder = tmp_path / "commands"
    folder.mkdir()
    for name in ("sh", "dirname"):
        (folder / name).symlink_to(shutil.which(name) or name)
    return folder


def set_up(clone: Path, **env: str) -> subprocess.CompletedProcess[str]:
    """Run `script/setup` with these variables alone."""
    command = [clone / "script" / "setup"]
    return subprocess.run(command, env=env, capture_output=True, text=True, check=False, timeout=300)


def test_old_python_is_named(clone: Path, commands: Path) -> None:
    """A Python too old is refused with its version and what to install."""
    (commands / "python3").write_text(OLD_PYTHON)
    (commands / "python3").chmod(0o755)
    result = set_up(clone, PATH=str(commands))
    assert result.returncode == 1
    assert "needs Python 3.11 or newer" in result.stderr
    assert "python3 is Python 3.9.2" in result.stderr
    assert "apt install python3" in result.stderr


def test_missing_python_is_named(clone: Path, commands: Path) -> None:
    """Without any Python the message says so, instead of a shell's."""
    result = set_up(clone, PATH=str(commands))
    assert result.returncode == 1
    assert "python3 is missing" in result.stderr


def test_chosen_python_is_not_replaced(clone: Path, commands: Path) -> None:
    """A Python the user named and that does not do is an error, not a reason to take another."""
    (commands / "python3").symlink_to(sys.executable)
    result = set_up(clone, PATH=str(commands), PYTHON="/nowhere/python3")
    assert result.returncode == 1
    assert "PYTHON=/nowhere/python3 is older, or is not a Python" in result.stderr


@pytest.mark.parametrize(
    ("offer", "name", "first"),
    [
        ({"uv": ("/bin/uv",), "has_ensurepip": True, "has_pip": True}, "uv", "/bin/uv"),
        ({"has_ensurepip": True, "has_pip": True}, "pip", ".venv/bin/python"),
        ({"has_ensurepip": True}, "pip", ".venv/bin/python"),
        ({"has_pip": True}, "pip", "/bin/python3"),
    ],
)
def test_best_installer_is_taken(offer: dict[str, object], name: str, first: str) -> None:
    """uv before the environment's own pip, that before the pip of the system's Python."""
    checkout = bootstrap.Checkout(Path("/somewhere"))
    installer = bootstrap.choose_installer(checkout, bootstrap.Host(python="/bin/python3", **offer))
    assert installer.name.split()[0] == name
    assert installer.fill[0].endswith(first)
    assert "--require-hashes" in installer.fill


def test_missing_installer_is_named() -> None:
    """Without uv, pip and ensurepip the message names the package to install."""
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    with pytest.raises(bootstrap.SetupError, match=rf"apt install python{version}-venv"):
        bootstrap.choose_installer(bootstrap.Checkout(Path("/somewhere")), bootstrap.Host(python="python3"))


def test_installers_stay_in_the_checkout() -> None:
    """Downloads are kept below the checkout, no variable leads packages elsewhere; a chosen cache stays."""
    checkout = bootstrap.Checkout(Path("/somewhere"))
    env = bootstrap.tool_environment(checkout, {"PIP_TARGET": "/else", "UV_CACHE_DIR": "/mine", "LANG": "C"})
    assert env["PIP_CACHE_DIR"] == "/somewhere/.state/cache/pip"
    assert env["UV_CACHE_DIR"] == "/mine"
    assert env["UV_PYTHON_DOWNLOADS"] == "never"
    assert env["LANG"] == "C"
    assert "PIP_TARGET" not in env


def test_second_setup_does_nothing(clone: Path) -> None:
    """With an environment that is what the files ask for, setup says nothing and installs nothing."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", clone / ".venv"], check=True)
    describe = (
        "import sys; sys.path.insert(0, 'script'); import bootstrap; from pathlib import Path\n"
        "c = bootstrap.Checkout(Path.cwd()); c.origin.write_text(bootstrap.origin(c))\n"
        "c.stamp.write_text(bootstrap.contents(c))"
    )
    subprocess.run([clone / ".venv" / "bin" / "python", "-c", describe], cwd=clone, check=True)

    result = set_up(clone, PATH=os.environ["PATH"])

    assert (result.returncode, result.stdout, result.stderr) == (0, "", "")
    assert not (clone / ".state").exists()


@pytest.mark.parametrize("name", ["requirements.txt", "pyproject.toml", "script/bootstrap.py"])
def test_setup_notices_a_change(clone: Path, name: str) -> None:
    """A change of anything that decides what is installed asks for a new installation."""
    program = load_bootstrap(clone / "script" / "bootstrap.py")
    before = program.contents(program.Checkout(clone))
    with (clone / name).open("a") as file:
        file.write("# changed\n")
    assert program.contents(program.Checkout(clone)) != before


@pytest.mark.soak
def test_fresh_clone_is_set_up(tmp_path: Path, commands: Path) -> None:
    """A clone in a folder with a space gets a working environment without uv (needs a registry)."""
    clone = tmp_path / "a clone"
    subprocess.run(["git", "clone", "--quiet", ROOT, clone], check=True)
    (commands / "python3").symlink_to(getattr(sys, "_base_executable", sys.executable))

    result = set_up(clone, **(os.environ | {"PATH": str(commands), "HOME": str(tmp_path)}))

    assert result.returncode == 0, result.stderr
    assert (
        subprocess.run([clone / ".venv" / "bin" / "pytest", "--version"], cwd=clone, check=False).returncode
        == 0
    )
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a clone", "commands"]
