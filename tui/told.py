"""What the daemon says in English, in the language of the screen."""

from __future__ import annotations

from chartinsight_tui.text import Words
from chartinsightd.domain.told import told as told_in


def told(text: str, words: Words) -> str:
    """Return what the daemon says of an alert, a job or a failure in the user's language."""
    return told_in(text, words.language)
