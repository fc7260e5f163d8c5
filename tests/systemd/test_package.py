"""The wheel alone is enough: it carries the units, and installs into an empty environment."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

from tests.systemd.machine import ROOT, build_wheel

COMMANDS = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["scripts"]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The built wheel."""
    return build_wheel(tmp_path_factory.mktemp("wheel"))


def test_wheel_carries_the_units(wheel: Path) -> None:
    """Whatever is in the folder `systemd` is in the wheel, byte by byte."""
    shipped = {path for path in (ROOT / "systemd").rglob("*") if path.is_file()}
    assert shipped
    with zipfile.ZipFile(wheel) as archive:
        for path in shipped:
            carried = archive.read(f"chartinsightd/resources/{path.relative_to(ROOT)}")
            assert carried == path.read_bytes()


@pytest.mark.soak
def test_wheel_installs_into_an_empty_environment(wheel: Path, tmp_path: Path) -> None:
    """pip alone makes working commands of the wheel (needs a registry)."""
    python = tmp_path / "venv" / "bin" / "python"
    pins = re.findall(r"^([\w.-]+==[^\\\n]+)", (ROOT / "requirements.txt").read_text("utf-8"), re.MULTILINE)
    (tmp_path / "pins.txt").write_text("\n".join(pins))

    subprocess.run([sys.executable, "-m", "venv", tmp_path / "venv"], check=True)
    subprocess.run(
        [python, "-m", "pip", "-q", "install", wheel, "-c", tmp_path / "pins.txt"],
        env={**os.environ, "PIP_DISABLE_PIP_VERSION_CHECK": "1"},
        check=True,
    )

    for command in COMMANDS:
        answer = subprocess.run(
            [python.with_name(command), "--help"],
            cwd=tmp_path,
            env={"PATH": "/usr/bin:/bin"},
            capture_output=True,
            text=True,
            check=False,
        )
        assert (answer.returncode, answer.stderr) == (0, ""), command
