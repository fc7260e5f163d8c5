"""Strikes secrets out of text, in every form that a wire, a page or a quotation gives them."""

from __future__ import annotations

import base64
import html
import re
from collections.abc import Iterable, Sequence

HIDDEN = "***"
"""Stands in the place of a secret."""
_SHORTEST_SECRET = 8
"""Characters. A shorter text would tear words apart."""
_SHORTEST_PART = 12
"""This many characters of a secret in a row are taken for a part of it: log lines and pages cut."""
_ENCODED = re.compile(
    r"%[0-7][0-9A-Fa-f]|(?:%[89A-Fa-f][0-9A-Fa-f])+|&#[0-9]{1,7};|&#[xX][0-9A-Fa-f]{1,6};|&[A-Za-z]{2,8};"
    r"|\\u[0-9A-Fa-f]{4}|\\x[0-9A-Fa-f]{2}|\\[\"'\\/]"
)
"""One character (a run of them where percent encoding is of several bytes), as URLs, HTML, JSON and Python's
`repr` write it."""


class Redaction:
    """Knows secrets, and replaces them in text.

    A secret is found plain, percent encoded, as HTML entities, escaped as in JSON or in a quotation, mixed,
    in Base64 (alone or with text around it, as in HTTP Basic) and in hexadecimal; also a part of at least
    twelve characters.
    """

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        self._known: set[str] = set()
        self._parts: dict[int, set[str]] = {}
        """Parts to look for, by their length."""
        self.hide(secrets)

    def hide(self, secrets: Iterable[str]) -> None:
        """Strike these texts out from now on. Texts shorter than eight characters are ignored."""
        for secret in secrets:
            if len(secret) >= _SHORTEST_SECRET and secret not in self._known:
                self._known.add(secret)
                for form in (secret, *_whole_forms(secret)):
                    self._look_for(form)

    def clean(self, text: str) -> str:
        """Return a text without the secrets."""
        if not self._parts:
            return text
        characters, places = _decoded(text)
        pieces, at = [], 0
        for first, last in self._spans(characters):
            pieces += [text[at : places[first][0]], HIDDEN]
            at = places[last - 1][1]
        return "".join([*pieces, text[at:]])

    def _look_for(self, form: str) -> None:
        length = min(len(form), _SHORTEST_PART)
        parts = self._parts.setdefault(length, set())
        parts.update(form[at : at + length] for at in range(len(form) - length + 1))

    def _spans(self, text: str) -> list[tuple[int, int]]:
        """Return where secrets stand, as (first, behind the last), merged where they touch."""
        found = sorted(
            (at, at + length)
            for length, parts in self._parts.items()
            for at in range(len(text) - length + 1)
            if text[at : at + length] in parts
        )
        merged: list[tuple[int, int]] = []
        for first, last in found:
            if merged and first <= merged[-1][1]:
                merged[-1] = merged[-1][0], max(last, merged[-1][1])
            else:
                merged.append((first, last))
        return merged


def _whole_forms(secret: str) -> list[str]:
    """Return what encoding the whole secret gives: Base64 at each of its three offsets, and hexadecimal."""
    raw = secret.encode()
    forms = [raw.hex(), raw.hex().upper()]
    for offset in range(3):
        plain = base64.b64encode(b"\0" * offset + raw).decode().rstrip("=")
        # The characters at both ends also depend on what stands beside the secret.
        inner = plain[(0, 2, 3)[offset] : len(plain) - bool((offset + len(raw)) % 3)]
        forms += [inner, inner.replace("+", "-").replace("/", "_")]
    return [form for form in forms if len(form) >= _SHORTEST_SECRET]


def _decoded(text: str) -> tuple[str, Sequence[tuple[int, int]]]:
    """Return a text with its encoded characters decoded, and where each of its characters stood in it."""
    characters: list[str] = []
    places: list[tuple[int, int]] = []

    def take_plain(start: int, end: int) -> None:
        characters.extend(text[start:end])
        places.extend((at, at + 1) for at in range(start, end))

    at = 0
    for match in _ENCODED.finditer(text):
        take_plain(at, match.start())
        decoded = _decode(match[0])
        characters += decoded
        places += [match.span()] * len(decoded)
        at = match.end()
    take_plain(at, len(text))
    return "".join(characters), places


def _decode(encoded: str) -> str:
    """Return what an encoded run stands for; the run as it is where that is nothing."""
    if encoded.startswith("%"):
        return bytes.fromhex(encoded.replace("%", "")).decode(errors="replace")
    if encoded.startswith("&"):
        return html.unescape(encoded)
    return chr(int(encoded[2:], 16)) if encoded[1] in "ux" else encoded[1]
