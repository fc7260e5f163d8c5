"""Why a row of the broker was refused, in words."""

from __future__ import annotations

from chartinsight_tui.text import Words

_OF_A_FIELD = ("missing", "not_a_number", "not_a_time", "too_large")
"""How reasons about one field of a row end; the field's own name stands before."""


def refused_words(reason: str, words: Words) -> str:
    """Return a reason of the quarantine in the language of the screens; one without words as it is."""
    for ending in _OF_A_FIELD:
        if reason.endswith(f"_{ending}"):
            return words.put(f"refused.field_{ending}", field=reason.removesuffix(f"_{ending}"))
    return words.get(f"refused.{reason}", reason)
