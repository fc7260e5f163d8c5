"""The shipped package on a real systemd: installed as documented, started, killed, frozen, stopped."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.systemd.machine import (
    KEYS,
    UNIT,
    Machine,
    RigRefused,
    build_wheel,
    documented_steps,
    running_machine,
)

SIMULATOR = "http://127.0.0.1:8500"
CONFIG = f"""
mode = "simulation"
[kiwoom]
base_url = "{SIMULATOR}"
[collect]
symbols = ["005930", "000660"]
timeframes = ["5m", "1d"]
horizon = "5d"
[universe]
enabled = false
[clock]
follow = true
"""
PYTHON = "/opt/chartinsight/bin/python"
SOCKET = "/run/chartinsight/control.sock"
DROP_IN = f"/run/systemd/system/{UNIT}.service.d/test.conf"
SETTLED_S = 900
"""See probe.py."""
WORST_EXPOSURE = 1.5
STOP_WITHIN_S = 10.0
NOT_REACHABLE = 3
FED_AT = "WatchdogTimestampMonotonic"
PRIORITIES = {"debug": 7, "info": 6, "warning": 4, "error": 3, "critical": 2}


@dataclass(frozen=True, slots=True)
class Broker:
    """The simulator in the machine, and what the daemon's store holds of its truth."""

    machine: Machine

    def jump(self, minutes: int) -> int:
        """Set the virtual clock forward; return what it shows then, in seconds since the epoch."""
        return self._probe(str(minutes))["now"]

    def now(self) -> int:
        """Return virtual time, in seconds since the epoch."""
        return self._probe()["now"]

    def is_complete(self, until: int) -> bool:
        """Whether the store equals the truth, settled candles included up to an instant."""
        found = self._probe()
        return found["differences"] == 0 and found["newest"] >= until - SETTLED_S

    def _probe(self, *arguments: str) -> dict[str, int]:
        answer: dict[str, int] = json.loads(self.machine.run(PYTHON, "/root/probe.py", SIMULATOR, *arguments))
        return answer


def set_drop_in(machine: Machine, *lines: str) -> None:
    """Change the unit for this test machine: restarts need not wait ten seconds."""
    text = "\n".join(["[Service]", "RestartSec=1s", *lines, ""])
    machine.run("mkdir", "-p", str(Path(DROP_IN).parent))
    machine.write(DROP_IN, text)
    machine.run("systemctl", "daemon-reload")


def give_packages(machine: Machine) -> None:
    """Let the machine's environment see the packages we depend on: there is no network to fetch them."""
    packages = machine.run("sh", "-c", "echo /opt/chartinsight/lib/python3.*/site-packages").strip()
    machine.write(f"{packages}/dependencies.pth", "/opt/dependencies\n")


def prepare(machine: Machine, wheel: Path) -> None:
    """Put there what the person at the keyboard brings: the wheel, settings, a password typed, a login."""
    machine.rig("copy", wheel, f"/root/dist/{wheel.name}")
    machine.rig("copy", Path(__file__).with_name("probe.py"), "/root/")
    machine.write("/usr/local/bin/sudo", '#!/bin/sh\nexec "$@"\n', 0o755)
    answers = "".join(
        f'  *{word}*) echo "{KEYS[name]}" ;;\n'
        for word, name in {"app": "kiwoom_app_key", "secret": "kiwoom_secret_key"}.items()
    )
    machine.write("/usr/local/bin/systemd-ask-password", f'#!/bin/sh\ncase "$1" in\n{answers}esac\n', 0o755)
    machine.run("useradd", "alice")
    machine.run("useradd", "mallory")
    machine.run("mkdir", "/etc/chartinsight")
    machine.write("/etc/chartinsight/config.toml", CONFIG)
    machine.write("/etc/chartinsight/on-failure", '#!/bin/sh\necho "$1" >> /run/alerts\n', 0o755)


def start_simulator(machine: Machine) -> None:
    """Start the broker of the tests, a minute a second."""
    command = ["/opt/chartinsight/bin/chartinsight-simulator", "--speed", "60"]
    machine.run("systemd-run", "-q", "--unit", "simulator", *command, "--start", "2026-11-20T10:00:00+09:00")
    machine.wait_for("the simulator", lambda: machine.status("curl", "-sf", f"{SIMULATOR}/admin/clock") == 0)


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    """A machine where the documented steps were taken; the daemon follows a simulated session."""
    try:
        with running_machine() as fresh:
            prepare(fresh, build_wheel(tmp_path_factory.mktemp("wheel")))
            for step in documented_steps()[1:]:
                if "enable --now" in step:
                    start_simulator(fresh)
                    set_drop_in(fresh, "WatchdogSec=0")
                fresh.run("env", "-C", "/root", "USER=alice", "PIP_NO_INDEX=1", "sh", "-euc", step)
                if "venv" in step:
                    give_packages(fresh)
            yield fresh
    except RigRefused as reason:
        pytest.skip(str(reason))


@pytest.fixture
def broker(machine: Machine) -> Broker:
    """The simulator the daemon follows."""
    return Broker(machine)


def test_documented_steps_work(machine: Machine) -> None:
    """Installing as documented ends with a running daemon that starts at boot, and a person in its group."""
    assert machine.show("ActiveState", "SubState", "UnitFileState") == {
        "ActiveState": "active",
        "SubState": "running",
        "UnitFileState": "enabled",
    }
    assert "chartinsight" in machine.run("id", "-nG", "alice").split()


def test_units_are_sound(machine: Machine) -> None:
    """systemd finds nothing to say about the units."""
    units = (f"{UNIT}.service", f"{UNIT}-alert@x.service")
    result = machine.rig("run", "systemd-analyze", "verify", "--recursive-errors=no", *units)
    assert (result.returncode, result.stdout, result.stderr) == (0, "", "")


def test_sandbox_is_tight(machine: Machine) -> None:
    """`systemd-analyze security` gives at most 1.5, and the embedded PostgreSQL works in it all the same."""
    answer = machine.run("systemd-analyze", "security", "--json=short", "--no-pager", f"{UNIT}.service")
    assert json.loads(answer)
    machine.run("systemd-analyze", "security", f"--threshold={WORST_EXPOSURE * 10:.0f}", f"{UNIT}.service")
    assert "postgres" in machine.run("ps", "-u", "chartinsight", "-o", "comm=")


def test_all_processes_are_confined(machine: Machine) -> None:
    """Daemon and database run without any capability, cannot gain one, and with system calls filtered."""
    for pid in machine.run("pgrep", "-u", "chartinsight").split():
        lines = machine.run("cat", f"/proc/{pid}/status").splitlines()
        status = dict(line.split(":\t", 1) for line in lines if ":\t" in line)
        assert (status["CapEff"], status["CapBnd"]) == ("0" * 16, "0" * 16)
        assert (status["NoNewPrivs"], status["Seccomp"]) == ("1", "2")


def test_start_waits_until_it_works(machine: Machine, broker: Broker) -> None:
    """The unit is active only once the token is there and the database answers; then candles arrive."""
    assert "daemon.started" in [event["event"] for event in machine.events()]
    machine.wait_for("the first candles", lambda: broker.is_complete(broker.now()))


def test_journal_has_priorities(machine: Machine) -> None:
    """Every event is one JSON line, and journald knows how serious it is."""
    machine.write("/etc/chartinsight/config.toml", CONFIG + "\n[nonsense]\n")
    machine.run("systemctl", "reload", UNIT)
    machine.wait_for("the refusal", lambda: "settings.reload_failed" in str(machine.events()))
    machine.write("/etc/chartinsight/config.toml", CONFIG)
    machine.run("systemctl", "reload", UNIT)
    machine.wait_for("the reload", lambda: "settings.reloaded" in str(machine.events()))

    entries = machine.journal()

    levels = {json.loads(entry["MESSAGE"])["level"]: int(entry["PRIORITY"]) for entry in entries}
    assert {"info", "error"} <= set(levels)
    assert {level: PRIORITIES[level] for level in levels} == levels
    assert {entry["SYSLOG_IDENTIFIER"] for entry in entries} == {UNIT}


def test_keys_are_nowhere_but_with_the_daemon(machine: Machine) -> None:
    """The keys come as credentials: not in the environment, the unit, the journal or the state folder."""
    pid = machine.main_pid()
    environment = machine.run("cat", f"/proc/{pid}/environ")
    assert "CREDENTIALS_DIRECTORY=" in environment
    for place in (
        environment,
        machine.run("cat", f"/proc/{pid}/cmdline"),
        machine.run("systemctl", "show", UNIT),
        machine.run("journalctl", "--no-pager", "-o", "export"),
    ):
        assert [key for key in KEYS.values() if key in place] == []
    assert machine.status("grep", "-rqE", "|".join(KEYS.values()), "/var/lib/chartinsight") == 1
    for name in KEYS:
        file = f"/run/credentials/{UNIT}.service/{name}"
        assert machine.status("runuser", "-u", "chartinsight", "--", "cat", file) == 0
        assert machine.status("runuser", "-u", "alice", "--", "cat", file) != 0
        assert machine.status("runuser", "-u", "alice", "--", "cat", f"/etc/credstore/{name}") != 0


@pytest.mark.parametrize(("folder", "mode"), [("/var/lib/chartinsight", "700"), ("/run/chartinsight", "750")])
def test_folders_are_closed(machine: Machine, folder: str, mode: str) -> None:
    """The state is the daemon's alone; the runtime folder is open to its group only."""
    assert machine.run("stat", "-c", "%a %U %G", folder).split() == [mode, "chartinsight", "chartinsight"]
    assert (machine.status("runuser", "-u", "alice", "--", "ls", folder) == 0) is (mode == "750")
    assert machine.status("runuser", "-u", "mallory", "--", "ls", folder) != 0


def test_control_socket_is_for_the_group(machine: Machine) -> None:
    """A member of the group may ask the daemon; another user is refused."""
    assert machine.run("stat", "-c", "%a %U %G", SOCKET).split() == ["660", "chartinsight", "chartinsight"]
    ask = ["/opt/chartinsight/bin/chartinsightctl", "status", "--json"]
    assert json.loads(machine.run("runuser", "-u", "alice", "--", *ask))
    assert machine.status("runuser", "-u", "mallory", "--", *ask) == NOT_REACHABLE


def test_killed_daemon_comes_back_and_catches_up(machine: Machine, broker: Broker) -> None:
    """After kill -9 systemd restarts the daemon; it fetches what it missed and equals the truth."""
    before = machine.restarts()

    machine.run("kill", "-KILL", machine.main_pid())
    back_at = broker.jump(30)
    machine.wait_for("the restart", lambda: machine.restarts() == before + 1)
    machine.wait_for("the start", lambda: machine.show("SubState")["SubState"] == "running")

    machine.wait_for("the catch-up", lambda: broker.is_complete(back_at))


def test_frozen_daemon_is_replaced(machine: Machine) -> None:
    """A working daemon is left alone; a frozen one is killed by the watchdog and restarted."""
    set_drop_in(machine, "WatchdogSec=5s")
    machine.run("systemctl", "restart", UNIT)
    started_at = machine.show(FED_AT)
    machine.wait_for("a sign of life", lambda: machine.show(FED_AT) != started_at)

    before = machine.restarts()
    machine.run("kill", "-STOP", machine.main_pid())
    machine.wait_for("the watchdog", lambda: machine.restarts() > before)

    machine.wait_for("the start", lambda: machine.show("SubState")["SubState"] == "running")
    assert "Watchdog timeout" in machine.run("journalctl", "-u", UNIT, "-n", "100", "-o", "cat")
    set_drop_in(machine, "WatchdogSec=0")


def test_stop_is_orderly(machine: Machine) -> None:
    """The daemon leaves within ten seconds, its database in order before it, and nothing stays behind."""
    begun_at = time.monotonic()
    machine.run("systemctl", "stop", UNIT)
    took_s = time.monotonic() - begun_at

    assert took_s < STOP_WITHIN_S
    assert machine.show("Result", "ExecMainStatus") == {"Result": "success", "ExecMainStatus": "0"}
    assert machine.status("pgrep", "-u", "chartinsight") == 1
    log = machine.run("sh", "-c", "tail -1 /var/lib/chartinsight/postgres-*/server.log")
    assert "database system is shut down" in log
    machine.run("systemctl", "start", UNIT)


def test_what_a_restart_cannot_mend_ends_in_an_alert(machine: Machine) -> None:
    """Without keys the daemon says so once, is not restarted, and the alert unit runs."""
    machine.run("sh", "-c", "mkdir -p -m 700 /root/keys && mv /etc/credstore/kiwoom_* /root/keys/")

    assert machine.status("systemctl", "restart", UNIT) != 0

    shown = machine.show("ActiveState", "Result", "ExecMainStatus", "NRestarts")
    assert shown == {"ActiveState": "failed", "Result": "exit-code", "ExecMainStatus": "2", "NRestarts": "0"}
    machine.wait_for("the alert", lambda: machine.status("test", "-s", "/run/alerts") == 0)
    assert machine.run("cat", "/run/alerts").split() == [f"{UNIT}.service"]
    alert = machine.run("journalctl", "-u", f"{UNIT}-alert@{UNIT}", "-p", "crit", "-o", "cat")
    assert alert.startswith(f"{UNIT}.service has failed: exit-code 2.")
    machine.run("sh", "-c", "mv /root/keys/* /etc/credstore/")
