"""The terminal is asked how wide it draws a sign, and cannot hold up the start."""

from __future__ import annotations

import os
import pty
import threading

import pytest

from chartinsight_tui.sign_width import is_wide


@pytest.mark.parametrize(
    ("answer", "wide"),
    [
        (b"\x1b[12;3R", True),
        (b"\x1b[12;2R", False),
        (b"q\x1b[1;3R", True),
        (b"", False),
        (b"nonsense", False),
    ],
    ids=["wide", "narrow", "behind-a-key", "silent", "nonsense"],
)
def test_only_a_terminal_that_says_so_is_wide(answer: bytes, wide: bool) -> None:
    """One that says nothing, or something else, is a usual one; its settings are as before."""
    terminal, program = pty.openpty()
    asked: list[bytes] = []

    def play() -> None:
        asked.append(os.read(terminal, 64))
        os.write(terminal, answer)

    player = threading.Thread(target=play)
    player.start()
    try:
        assert is_wide(program, program) is wide
        player.join()
        assert asked[0].endswith(b"\x1b[6n\r\x1b[K")
    finally:
        os.close(terminal)
        os.close(program)


def test_without_a_terminal_nothing_is_asked() -> None:
    """A pipe has no cursor."""
    reader, writer = os.pipe()
    assert not is_wide(reader, writer)
    os.close(writer)
    assert os.read(reader, 64) == b""
    os.close(reader)
