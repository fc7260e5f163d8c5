"""Whatever stands in a database URL, it is obeyed or refused by name, and no secret of it is shown."""

from __future__ import annotations

from urllib.parse import quote

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from chartinsightd.adapters.postgres.dsn import checked, place_of
from chartinsightd.domain.errors import ConfigurationError

SECRET = "hunter2"


@pytest.mark.parametrize(
    ("url", "place"),
    [
        ("postgresql://me@host:5432/db", "host:5432/db"),
        ("postgres://me:hunter2@host/db?sslmode=require", "host/db"),
        ("postgresql:///db?host=/run/postgresql", "/run/postgresql/db"),
        ("postgresql://me@one:1,two:2/db?target_session_attrs=read-write", "one:1,two:2/db"),
        ("postgresql://me@[::1]:5432/db", "[::1]:5432/db"),
    ],
)
def test_urls_of_libpq_are_taken(url: str, place: str) -> None:
    """What libpq takes and asyncpg knows is handed on as it is."""
    assert checked(url) == url
    assert place_of(url) == place


def test_what_the_daemon_sets_itself_is_left_out() -> None:
    """Valid parameters without an effect here are no reason to refuse a URL that works in psql."""
    url = (
        "postgresql://me@host/db?connect_timeout=10&sslmode=prefer&channel_binding=prefer&gssencmode=disable"
    )
    assert checked(url) == "postgresql://me@host/db?sslmode=prefer"


@pytest.mark.parametrize(
    "words",
    ["pgbouncer=true", "channel_binding=require", "gssencmode=require", "statement_cache_size=0", "schema=x"],
)
def test_what_cannot_be_obeyed_is_named(words: str) -> None:
    """A parameter that would be ignored, or would end in a library's words, is refused with its name."""
    with pytest.raises(ConfigurationError, match=words.partition("=")[0]) as caught:
        checked(f"postgresql://me:{SECRET}@host/db?{words}")
    assert caught.value.remedy
    assert SECRET not in str(caught.value)


@example("?", "postgresql://")
@given(st.text("ab1@/?#:%&=, []\\", max_size=8), st.sampled_from(["postgres:", "postgresql://", ""]))
def test_a_password_is_in_no_message(around: str, scheme: str) -> None:
    """However a password is written, quoted or not, neither the place nor a refusal shows a part of it."""
    for password in (f"{around}{SECRET}", f"{SECRET}{around}", f"{SECRET}{around}{SECRET}"):
        url = f"{scheme}me:{password}@host/db"
        shown = place_of(url)
        try:
            checked(url)
        except ConfigurationError as error:
            shown += str(error)
        assert SECRET not in shown


@given(st.text(min_size=1, max_size=20))
def test_any_password_can_be_written(password: str) -> None:
    """Quoted as a URL wants it, every password is taken."""
    url = f"postgresql://me:{quote(password, safe='')}@host:5432/db"
    assert checked(url) == url
    assert place_of(url) == "host:5432/db"
