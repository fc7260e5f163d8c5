"""The log: named events with fields; secrets never get through."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st

from chartinsightd.clock import SimulatedClock, SystemClock
from chartinsightd.process.logs import HIDDEN, Redactor, configure_logs

SECRET = "k9-secret-of-somebody"


@pytest.fixture(autouse=True)
def _as_before() -> object:
    """Leave structlog as it was found."""
    yield
    structlog.reset_defaults()


nested = st.recursive(
    st.text() | st.just(SECRET) | st.text().map(lambda text: text + SECRET) | st.integers(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=12,
)


@given(fields=st.dictionaries(st.text(), nested, max_size=4))
def test_a_secret_gets_through_nowhere(fields: dict[str, object]) -> None:
    """However deep it is hidden in an event, it is replaced."""
    redactor = Redactor()
    redactor.hide([SECRET])

    cleaned = redactor(None, "info", dict(fields))

    assert SECRET not in json.dumps(list(cleaned.values()), default=str)


def test_json_lines_carry_the_journal_s_priority_under_systemd(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """`<4>` before the JSON of a warning: journald takes it as the level."""
    monkeypatch.setenv("JOURNAL_STREAM", "8:1")
    configure_logs("auto", "info", SystemClock())

    structlog.get_logger().warning("store.unavailable", retry_in_s=1.0)

    line = capsys.readouterr().err
    assert line.startswith("<4>{")
    event = json.loads(line[3:])
    assert (event["event"], event["retry_in_s"], event["level"]) == ("store.unavailable", 1.0, "warning")


def test_events_carry_the_time_of_the_daemon_s_clock(capsys: pytest.CaptureFixture[str]) -> None:
    """In simulation the log tells virtual time, in KST."""
    configure_logs("json", "info", SimulatedClock(datetime(2026, 9, 14, 23, 0, tzinfo=UTC), 1.0))

    structlog.get_logger().info("job.ended")

    assert json.loads(capsys.readouterr().err)["timestamp"].startswith("2026-09-15T08:00:0")


def test_times_among_the_fields_are_korean_text(capsys: pytest.CaptureFixture[str]) -> None:
    """A moment in UTC is written beside its +09:00, a day as a day: one line has one time zone."""
    configure_logs("json", "info", SystemClock())

    moment = datetime(2026, 9, 14, 23, 0, tzinfo=UTC)
    structlog.get_logger().info("daemon.started", now=moment, day=moment.date())

    event = json.loads(capsys.readouterr().err)
    assert (event["now"], event["day"]) == ("2026-09-15T08:00:00+09:00", "2026-09-14")


def test_hidden_words_are_long(capsys: pytest.CaptureFixture[str]) -> None:
    """An empty or short secret hides nothing: it would tear every line apart."""
    redactor = Redactor()
    redactor.hide(["", "a"])

    assert redactor(None, "info", {"event": "alpha"}) == {"event": "alpha"}
    assert HIDDEN not in capsys.readouterr().err
