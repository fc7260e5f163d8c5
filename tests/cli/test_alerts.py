"""`alerts`: what lasts, and whether it reaches anybody."""

from __future__ import annotations

from tests.cli.conftest import Run
from tests.support.fake_backend import FakeBackend, Scene


def test_the_list_shows_alerts_and_channels(run: Run, backend: FakeBackend) -> None:
    """What lasts, what is over, and each channel; `--check` ends with 1 while something lasts."""
    backend.scene = Scene.ERROR
    result = run("alerts", "list", "--check")
    assert result.exit_code == 1
    assert "database.away" in result.stdout
    assert "slack: ok" in result.stdout


def test_a_trial_says_which_channel_works(run: Run, backend: FakeBackend) -> None:
    """All well is 0; a channel that took nothing is 1, with what to mend."""
    assert run("alerts", "test").exit_code == 0
    backend.scene = Scene.ERROR
    result = run("alerts", "test")
    assert result.exit_code == 1
    assert "mail: The mail server took no mail." in result.stdout
    assert "-> Check alerts.smtp_host." in result.stdout


def test_without_a_channel_a_trial_is_a_mistake(run: Run, backend: FakeBackend) -> None:
    """Nothing was set up: status 2, and how to."""
    backend.scene = Scene.EMPTY
    result = run("alerts", "test")
    assert result.exit_code == 2
    assert "CHARTINSIGHT_ALERTS__SLACK_WEBHOOK" in result.stderr


def test_without_a_word_the_list_is_shown(run: Run) -> None:
    """`alerts` is `alerts list`."""
    assert run("alerts").stdout == run("alerts", "list").stdout


def test_the_history_is_a_table(run: Run) -> None:
    """Active and past ones; one kind alone where it is named."""
    assert "gate.throttled" in run("alerts", "history").stdout
    assert "gate.throttled" not in run("alerts", "history", "--kind", "database.away").stdout


def test_alerts_are_acknowledged_and_silenced(run: Run, backend: FakeBackend) -> None:
    """One or all of them; a silence has an end, and `--off` is one."""
    said = [
        run("alerts", *words).stderr.strip()
        for words in (
            ("ack", "database.away"),
            ("silence", "disk.full", "--for", "30m"),
            ("silence", "disk.full", "--off"),
        )
    ]
    assert said[0] == "Nothing to acknowledge."
    assert said[1].startswith("disk.full is not sent until 2026-")
    assert said[2] == "disk.full is sent again."
    assert run("alerts", "silence", "disk.full", "--off", "--for", "1h").exit_code == 2
    assert [name for name, _ in backend.asked] == [
        "acknowledge database.away",
        "silence disk.full",
        "silence disk.full",
    ]
