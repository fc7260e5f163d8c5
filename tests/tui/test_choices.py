"""The dashboard begins as it was left, whatever became of the file that says so."""

from __future__ import annotations

from pathlib import Path

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from chartinsight_tui.choices import Choices, choices_file, read_choices, write_choices
from tests.tui.dashboards import dashboard


def test_choices_come_back(tmp_path: Path) -> None:
    """What was chosen is there next time; the folder is made when it is missing."""
    file = choices_file({"XDG_CONFIG_HOME": str(tmp_path / "new"), "HOME": "/nowhere"})
    chosen = Choices(theme="light", rise="green", language="ko")
    write_choices(file, chosen)

    assert read_choices(file) == chosen
    assert list(file.parent.iterdir()) == [file]


def test_choices_are_kept_below_the_home_without_xdg() -> None:
    """A relative XDG_CONFIG_HOME is not valid by its specification."""
    expected = Path("/home/me/.config/chartinsight/tui.json")
    assert choices_file({"HOME": "/home/me", "XDG_CONFIG_HOME": "here"}) == expected


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@example(damaged=b'{"theme": "pink", "rise": ["red"], "language": "ko"}')
@given(damaged=st.binary(max_size=80))
def test_a_damaged_file_is_as_good_as_none(tmp_path: Path, damaged: bytes) -> None:
    """No byte in it keeps the dashboard from starting, and only choices of ours count."""
    file = tmp_path / "tui.json"
    file.write_bytes(damaged)

    found = read_choices(file)
    assert found.theme in {None, "dark", "light", "contrast", "colour-blind"}
    assert found.rise in {None, "red", "green"}


def test_where_nothing_can_be_written_nothing_happens(tmp_path: Path) -> None:
    """A read-only home is no reason to fail."""
    blocked = tmp_path / "file"
    blocked.write_text("in the way")
    write_choices(blocked / "chartinsight" / "tui.json", Choices(theme="light"))


async def test_keys_for_colours_are_remembered() -> None:
    """The dashboard says which colours were chosen, by key or from the palette."""
    told: list[tuple[str, str]] = []
    app = dashboard(remember=lambda theme, rise: told.append((theme, rise)))
    async with app.run_test() as pilot:
        await pilot.press("t")
        app.action_swap_colours()
    assert told == [("light", "red"), ("light", "green")]
