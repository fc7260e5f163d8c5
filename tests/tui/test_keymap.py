"""Keys of one's own."""

from __future__ import annotations

from pathlib import Path

import pytest

from chartinsight_tui.keymap import NAMES, WrongKeys, read_keys
from tests.tui.dashboards import connected, dashboard


def keys_of(folder: Path, text: str) -> dict[str, str]:
    """Return what a file of this text gives."""
    file = folder / "keys.toml"
    file.write_text(text, encoding="utf-8")
    return read_keys(file)


def test_signs_and_names_of_keys_are_understood(tmp_path: Path) -> None:
    """A letter, a sign, a key with Ctrl, a function key; without a file there are none."""
    text = '[keys]\nfaults = "x"\npalette = "@"\ncopy = "ctrl+k"\nhelp = "f1"\n'
    expected = {"faults": "x", "palette": "at", "copy": "ctrl+k", "help": "f1"}
    assert keys_of(tmp_path, text) == expected
    assert read_keys(tmp_path / "none.toml") == {}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('[keys]\n\nfalts = "x"', "line 3: there is no key 'falts'. Did you mean faults?"),
        ('[keys]\nfaults = "x"\ncopy = "x"', "line 3: 'x' is given twice."),
        ('[keys]\nfaults = "xy z"', "line 2: 'xy z' is no key such as"),
        ("[keys]\nfaults = 3", "line 2: 3 is no key such as"),
        ("[keys", "keys.toml: "),
        ('faults = "x"', "it holds the table [keys] and nothing else."),
    ],
)
def test_a_wrong_file_says_where_and_what(tmp_path: Path, text: str, words: str) -> None:
    """With the file, the line and what may be meant."""
    with pytest.raises(WrongKeys) as error:
        keys_of(tmp_path, text)
    assert words in str(error.value)
    assert str(tmp_path) in str(error.value)


async def test_a_key_of_ones_own_does_and_is_shown() -> None:
    """The old key does nothing more; help and key bar have the new one."""
    app = dashboard(keys={"theme": "X", "palette": "f2"})
    async with app.run_test(size=(120, 40)) as pilot:
        await connected(pilot)
        await pilot.press("t")
        assert app.theme == "dark"
        await pilot.press("X")
        assert app.theme != "dark"
        shown = {binding.id: name for binding, name, _ in app.active_keys() if binding.id}
        assert (shown["theme"], shown["palette"]) == ("X", "f2")


async def test_every_key_that_works_has_a_name() -> None:
    """What the help lists can be changed in the file."""
    app = dashboard()
    async with app.run_test(size=(120, 40)) as pilot:
        await connected(pilot)
        listed = [one for one, _, _ in app.active_keys() if not one.description.startswith("tab.")]
        assert {binding.id for binding in listed} <= set(NAMES)
