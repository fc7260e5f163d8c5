"""`chartinsightd install`: what it writes, keeps and refuses."""

from __future__ import annotations

import re
import sys
import tempfile
from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from chartinsightd.domain.errors import ConfigurationError
from chartinsightd.install import (
    SHIPPED_COMMAND,
    check_reachable,
    install,
    planned_files,
    render_units,
    write_files,
)
from chartinsightd.process.exit_status import ExitStatus
from chartinsightd.settings.database import DatabaseSettings
from chartinsightd.settings.model import SECRETS
from tests.systemd.machine import ROOT, documented_steps

UNIT = "chartinsightd.service"
COMMAND = Path("/srv/chart insight/bin/chartinsightd")


def settings_of(unit: str) -> dict[str, list[str]]:
    """Return a unit's settings by name, in order, an empty one resetting nothing here."""
    found: dict[str, list[str]] = {}
    for line in re.findall(r"^(\w+=.*)$", unit.replace("\\\n", " "), re.MULTILINE):
        name, _, value = line.partition("=")
        found.setdefault(name, []).append(value)
    return found


@pytest.fixture
def shipped() -> dict[str, list[str]]:
    """The settings of the daemon's unit as it is shipped."""
    return settings_of((ROOT / "systemd" / UNIT).read_text(encoding="utf-8"))


def test_shipped_units_work_as_they_are() -> None:
    """For the usual place, rendering changes nothing."""
    units = render_units(Path(SHIPPED_COMMAND))
    assert units == {name: (ROOT / "systemd" / name).read_text(encoding="utf-8") for name in units}


def test_rendering_changes_the_command_alone() -> None:
    """For another place, the one line that names the command is another; a space is quoted."""
    rendered, shipped = render_units(COMMAND)[UNIT], render_units(Path(SHIPPED_COMMAND))[UNIT]
    assert f'\nExecStart="{COMMAND}"\n' in rendered
    pairs = zip(rendered.splitlines(), shipped.splitlines(), strict=True)
    differing = [(ours, theirs) for ours, theirs in pairs if ours != theirs]
    assert len(differing) == 1


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=20))
def test_no_path_can_say_more_than_a_path(name: str) -> None:
    """Whatever a folder is called, it becomes one plain command line, or it is refused."""
    command = Path(f"/opt/{name}/chartinsightd")
    try:
        unit = render_units(command)[UNIT]
    except ConfigurationError:
        return
    (line,) = settings_of(unit)["ExecStart"]
    assert line in {str(command), f'"{command}"'}
    assert not set(str(command)) & set("\"'\\%$\n\t;")


@pytest.mark.parametrize("folder", ["relative", "/opt/100%", "/opt/$HOME", '/opt/"quoted"', "/opt/a\nb"])
def test_odd_folders_are_refused(folder: str) -> None:
    """What systemd would read as something else is refused, with a remedy."""
    with pytest.raises(ConfigurationError) as caught:
        render_units(Path(folder) / "chartinsightd")
    assert caught.value.remedy


def test_statuses_without_restart_are_those_a_person_mends(shipped: dict[str, list[str]]) -> None:
    """Settings, database, client, address and key: systemd does not ask Kiwoom again and again."""
    assert {int(status) for status in shipped["RestartPreventExitStatus"][0].split()} == {
        ExitStatus.CONFIGURATION,
        ExitStatus.DATABASE_REFUSED,
        ExitStatus.CLIENT_REFUSED,
        ExitStatus.ADDRESS_REFUSED,
        ExitStatus.KEY_REFUSED,
    }


def test_restarts_have_a_limit_that_patience_passes(shipped: dict[str, list[str]]) -> None:
    """A crash within five seconds of each start is given up; a database that is away at start never is."""
    limit = int(shipped["StartLimitBurst"][0])
    interval_s = 60 * int(shipped["StartLimitIntervalSec"][0].removesuffix("min"))
    rest_s = int(shipped["RestartSec"][0].removesuffix("s"))
    assert limit * (rest_s + 5) < interval_s < limit * (rest_s + DatabaseSettings().connect_timeout_s)


@pytest.mark.parametrize("readme", ["README.md", "README.ko.md"])
def test_readmes_install_alike(readme: str) -> None:
    """Where a README says how to install on a server, it is as in docs/systemd.md, in ten lines at most."""
    blocks = re.findall(r"```sh\n(.*?)```", (ROOT / readme).read_text(encoding="utf-8"), re.DOTALL)
    shown = [block.splitlines() for block in blocks if "install --write" in block]
    assert shown in ([], [documented_steps()])
    assert len(documented_steps()) <= 10


def test_crash_dumps_hold_no_keys(shipped: dict[str, list[str]]) -> None:
    """No core is dumped, and the secrets come as credentials, in no line of the unit."""
    assert shipped["LimitCORE"] == ["0"]
    assert shipped["LoadCredential"] == [*SECRETS.values()]


def test_writing_keeps_what_is_theirs(tmp_path: Path) -> None:
    """A second run changes nothing; an edited config.toml stays, an edited unit is written again."""
    files = planned_files(COMMAND)
    assert set(write_files(files, tmp_path).values()) == {"written"}
    assert set(write_files(files, tmp_path).values()) == {"unchanged"}

    config = tmp_path / "etc/chartinsight/config.toml"
    config.write_text('mode = "simulation"\n')
    unit = tmp_path / "etc/systemd/system" / UNIT
    unit.write_text("[Service]\n")
    done = write_files(files, tmp_path)

    assert {path.name: what for path, what in done.items() if what != "unchanged"} == {
        "config.toml": "kept",
        UNIT: "written",
    }
    assert config.read_text() == 'mode = "simulation"\n'
    assert unit.read_text() == render_units(COMMAND)[UNIT]
    assert {path.stat().st_mode & 0o777 for path in tmp_path.rglob("*") if path.is_file()} == {0o644}


@pytest.mark.parametrize("path", ["/home/alice/.venv/bin/python", "/root/x", "/tmp/venv/bin/chartinsightd"])
def test_what_the_unit_hides_is_refused(path: str) -> None:
    """A daemon below a home or a temporary folder could not run: its sandbox hides them."""
    with pytest.raises(ConfigurationError, match="hides"):
        check_reachable([Path(path)])


def test_closed_folders_are_refused() -> None:
    """A daemon in a folder that only its owner may enter could not run either."""
    state = ROOT / ".state"
    state.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=state) as closed, pytest.raises(ConfigurationError) as caught:
        check_reachable([Path(closed) / "chartinsightd"])
    assert "/opt/chartinsight" in caught.value.remedy


@pytest.fixture
def anywhere(monkeypatch: pytest.MonkeyPatch) -> CliRunner:
    """Runs the command as if this test environment lay where a service may reach it."""
    monkeypatch.setattr("chartinsightd.install.check_reachable", lambda _: None)
    return CliRunner()


def test_command_prints_everything(anywhere: CliRunner) -> None:
    """Without --write the files go to stdout and what to do then to stderr; nothing is written."""
    result = anywhere.invoke(install, [])
    assert result.exit_code == 0
    assert [line for line in result.stdout.splitlines() if line.startswith("# ---- ")] == [
        "# ---- /etc/systemd/system/chartinsightd.service",
        "# ---- /etc/systemd/system/chartinsightd-alert@.service",
        "# ---- /etc/sysusers.d/chartinsight.conf",
        "# ---- /etc/tmpfiles.d/chartinsight.conf",
        "# ---- /etc/chartinsight/config.toml",
    ]
    assert "systemctl enable --now chartinsightd" in result.stderr


def test_command_writes_an_image(anywhere: CliRunner, tmp_path: Path) -> None:
    """With --root everything goes below a folder, and this machine is left alone."""
    result = anywhere.invoke(install, ["--write", "--root", str(tmp_path)])
    assert result.exit_code == 0, result.output
    assert len(re.findall(r"^written ", result.stdout, re.MULTILINE)) == 5
    assert "ran " not in result.stdout
    own = Path(sys.executable).parent / "chartinsightd"
    assert str(own) in (tmp_path / "etc/systemd/system" / UNIT).read_text(encoding="utf-8")


def test_command_explains_a_failure(anywhere: CliRunner, tmp_path: Path) -> None:
    """What cannot be written is named, and the exit status says that the work failed."""
    (tmp_path / "etc").write_text("in the way")
    result = anywhere.invoke(install, ["--write", "--root", str(tmp_path)])
    assert result.exit_code == ExitStatus.FAILED
    assert str(tmp_path / "etc") in result.stderr
