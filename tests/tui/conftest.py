"""What all tests of the dashboard need."""

from __future__ import annotations

import pytest

from chartinsight_tui import app, connection
from chartinsight_tui.screens import backfill, view


@pytest.fixture(autouse=True)
def _hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the pauses made for human eyes and fingers be short: what is waited for stays the same."""
    monkeypatch.setattr(app, "_SETTLE_S", 0.01)
    monkeypatch.setattr(view, "_REST_S", 0.02)
    monkeypatch.setattr(backfill, "_REST_S", 0.02)
    monkeypatch.setattr(connection, "_RETRY_S", (0.02,))
