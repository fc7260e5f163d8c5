"""Secrets are struck out of text in every form in which a wire or a page may give them back."""

from __future__ import annotations

import base64
import html
import json
from collections.abc import Callable
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chartinsightd.domain.redaction import HIDDEN, Redaction

SECRET = "k9/Secret+of=\"some\"'body'&<co>-77"

FORMS: dict[str, Callable[[str], str]] = {
    "plain": str,
    "percent": lambda text: quote(text, safe=""),
    "percent_lower": lambda text: quote(text, safe="").lower() if text.islower() else quote_plus(text),
    "percent_all": lambda text: "".join(f"%{byte:02x}" for byte in text.encode()),
    "html": html.escape,
    "decimal_entities": lambda text: "".join(f"&#{ord(one)};" for one in text),
    "hexadecimal_entities": lambda text: "".join(f"&#x{ord(one):X};" for one in text),
    "json": json.dumps,
    "json_escapes": lambda text: "".join(f"\\u{ord(one):04x}" for one in text),
    "json_with_slashes": lambda text: json.dumps(text).replace("/", "\\/"),
    "repr": repr,
    "bytes_escapes": lambda text: "".join(f"\\x{byte:02x}" for byte in text.encode()),
    "hexadecimal": lambda text: text.encode().hex(),
    "base64": lambda text: base64.b64encode(text.encode()).decode(),
    "base64_url": lambda text: base64.urlsafe_b64encode(text.encode()).decode(),
    "basic": lambda text: base64.b64encode(f"user:{text}".encode()).decode(),
    "basic_longer": lambda text: base64.b64encode(f"users:{text}:end".encode()).decode(),
    "basic_longest": lambda text: base64.b64encode(f"userss:{text}:end".encode()).decode(),
    "cut_behind": lambda text: text[:14],
    "cut_before": lambda text: text[-14:],
    "cut_percent": lambda text: quote(text, safe="")[:30],
}


@pytest.mark.parametrize("form", FORMS)
def test_a_secret_is_struck_out_in_every_form(form: str) -> None:
    """Whatever encoding gives the secret back, no part of it that is worth anything stays."""
    written = FORMS[form](SECRET)

    cleaned = Redaction([SECRET]).clean(f"Kiwoom says: {written} (HTTP 500)")

    assert HIDDEN in cleaned
    assert cleaned.startswith("Kiwoom says: ")
    assert cleaned.endswith("(HTTP 500)")
    # Base64 shows at most one character of the secret at its ends.
    assert not any(written[at : at + 12] in cleaned for at in range(1, len(written) - 12))


@given(
    text=st.text(), secret=st.text(alphabet=st.characters(codec="ascii", categories=["L", "N"]), min_size=12)
)
def test_text_without_the_secret_stays_as_it_is(text: str, secret: str) -> None:
    """Only a secret, or a long part of it, is replaced."""
    parts = {secret[at : at + 12] for at in range(len(secret) - 11)}
    if any(part in html.unescape(text) or part in text for part in parts):
        return

    assert Redaction([secret]).clean(text) == text


@given(
    before=st.text(), after=st.text(), form=st.sampled_from(["plain", "percent_all", "html", "json_escapes"])
)
def test_what_stands_beside_a_secret_does_not_save_it(before: str, after: str, form: str) -> None:
    """A secret is struck out wherever it stands."""
    written = FORMS[form](SECRET)

    assert written not in Redaction([SECRET]).clean(f"{before} {written} {after}")


def test_short_texts_are_no_secrets() -> None:
    """What is shorter than eight characters would tear words apart."""
    assert Redaction(["a", "", "candle"]).clean("a candle") == "a candle"
