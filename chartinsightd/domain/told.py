"""What the daemon and its commands say in English, in the language of the user. Pure.

Failures, alerts and jobs come as sentences. Those we know are said in Korean with their values; one that a
newer daemon says, or that quotes somebody else, stays as it is.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache

from chartinsightd.domain.language import Language
from chartinsightd.domain.told_ko import KOREAN_SENTENCES

_VALUE = "{}"
_DEEPEST = 4
"""Sentences within sentences; what is deeper stays English."""
_SENTENCE_END = re.compile(r"(?<=[.?!])\s+(?=[A-Z0-9])")


def told(text: str, language: Language) -> str:
    """Return a sentence of an alert, a job or a failure in the user's language."""
    return _korean(text, _DEEPEST) if language == "ko" else text


@lru_cache(maxsize=512)
def _korean(text: str, depth: int) -> str:
    text = text.strip()
    if not depth or not text:
        return text
    if (said := _whole(text, depth)) is not None:
        return said
    sentences = _SENTENCE_END.split(text)
    if len(sentences) == 1:
        return text
    return " ".join(_korean(sentence, depth - 1) for sentence in sentences)


def _whole(text: str, depth: int) -> str | None:
    """Return a text in Korean that is one sentence we know; None where it is none."""
    for english in _by_own_words():
        if (values := _values(english, text)) is not None:
            korean = KOREAN_SENTENCES[english]
            said = korean.format(*(_korean(value, depth - 1) for value in values))
            return said if text.endswith(".") else said.removesuffix(".")
    return None


@lru_cache(maxsize=1)
def _by_own_words() -> list[str]:
    """Return the sentences, those with the most words of their own first."""
    return sorted(KOREAN_SENTENCES, key=lambda english: -len(english.replace(_VALUE, "")))


def _values(english: str, text: str) -> Sequence[str] | None:
    """Return the values with which a sentence says this text; None where it says something else."""
    parts = english.removesuffix(".").split(_VALUE)
    if not all(part in text for part in parts):  # of some three hundred sentences few get past this
        return None
    found = _pattern(english).fullmatch(text)
    return None if found is None else found.groups()


@lru_cache(maxsize=64)
def _pattern(english: str) -> re.Pattern[str]:
    """Return what matches a sentence with any values; within another one its full stop may be missing."""
    words = "(.*?)".join(map(re.escape, english.removesuffix(".").split(_VALUE)))
    return re.compile(words + (r"\.?" if english.endswith(".") else ""), re.DOTALL)
