"""`alerts`: what lasts, and whether it reaches anybody."""

from __future__ import annotations

from tests.cli.conftest import Run
from tests.control.fake_backend import FakeBackend, Scene


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
