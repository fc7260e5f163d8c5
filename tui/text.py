"""Every text of the dashboard, in English and in Korean."""

from __future__ import annotations

from collections.abc import Mapping

from chartinsight_tui.formatting import NOTHING
from chartinsight_tui.words import ENGLISH, KOREAN
from chartinsightd.domain.language import Language

_UNITS = (("days", 86_400, 3_600), ("hours", 3_600, 60), ("minutes", 60, 1))
LANGUAGES: Mapping[Language, Mapping[str, str]] = {"en": ENGLISH, "ko": KOREAN}


class Words:
    """The texts of one language.

    Args:
        language: which.
    """

    def __init__(self, language: Language) -> None:
        self.language = language
        self._texts = LANGUAGES[language]

    def __getitem__(self, key: str) -> str:
        """Return a text.

        Raises:
            KeyError: there is no such text: a mistake of ours.
        """
        return self._texts[key]

    def get(self, key: str, default: str) -> str:
        """Return a text, or the default for words that only the daemon knows."""
        return self._texts.get(key, default)

    def duration(self, seconds: float | None) -> str:
        """Write a duration in two units at most, such as `2분 06초` or `2m 06s`; less than nothing is 0."""
        if seconds is None:
            return NOTHING
        whole = max(0, round(seconds))
        for unit, length, part in _UNITS:
            if whole >= length:
                rest = whole % length // part
                return self.put(f"duration.{unit}", count=whole // length, rest=rest)
        return self.put("duration.seconds", count=whole)

    def put(self, key: str, **values: object) -> str:
        """Return a text with values in its places."""
        return self._texts[key].format(**values)
