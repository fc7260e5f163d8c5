"""What people said of charts, on the command line."""

from __future__ import annotations

import json

from tests.cli.conftest import Run
from tests.cli.live_daemon import LiveDaemon


def test_labels_are_shown_with_how_often_people_agree(run: Run, daemon: LiveDaemon) -> None:
    """The table marks hindsight and says that there is more; below it stands a line for each kind."""
    del daemon

    shown = run("labels")

    assert shown.exit_code == 0
    assert "double_bottom: 31 of 42 agreed, 73.8 %" in shown.stdout
    assert "1 more" in shown.stdout


def test_an_export_has_every_label_on_a_line(run: Run, daemon: LiveDaemon) -> None:
    """Pages are joined; each line is one label as JSON."""
    del daemon

    lines = run("labels", "--export").stdout.splitlines()

    assert [json.loads(line)["id"] for line in lines] == [2, 1]


def test_the_address_for_reading_names_the_schema(run: Run, daemon: LiveDaemon) -> None:
    """`dsn` prints one URL, of the role that can change nothing."""
    del daemon

    printed = run("dsn").stdout

    assert printed.startswith("postgresql://chartinsight_reader@")
    assert "search_path%3Dsimulation" in printed
