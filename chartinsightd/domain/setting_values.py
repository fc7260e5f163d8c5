"""Values of settings, checked for what they are used for and not for their type alone."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import urlsplit

_HEADER = re.compile(r"[ -~]{1,200}")
_ONE_LINE = re.compile(r"[^\x00-\x1f\x7f]{0,500}")
_EARLIEST, _LATEST = datetime(1980, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)
_LOOPBACK_NAMES = frozenset({"localhost", "ip6-localhost"})


def usable_path(path: Path) -> Path:
    """Return a path with `~` resolved.

    Raises:
        ValueError: no file can have this name, or `~` stands for nothing here.
    """
    if "\0" in str(path) or str(path) in {"", "."}:
        raise ValueError("no file can have this name: it is empty or has a NUL in it")
    try:
        return path.expanduser()
    except RuntimeError:
        raise ValueError(
            "~ stands for nothing here, since this user has no home: write the whole path"
        ) from None


def header_text(text: str) -> str:
    """Return a text that can stand in an HTTP header.

    Raises:
        ValueError: it cannot.
    """
    if not _HEADER.fullmatch(text):
        raise ValueError("an HTTP header takes 1 to 200 printable ASCII characters")
    return text


def one_line(text: str) -> str:
    """Return a text of one line.

    Raises:
        ValueError: it has a line end or another control character, or is too long.
    """
    if not _ONE_LINE.fullmatch(text):
        raise ValueError("one line of at most 500 characters is taken")
    return text


def http_address(text: str) -> str:
    """Return the address of a server, such as `https://host:port`; empty stays empty.

    Raises:
        ValueError: it is none.
    """
    wrong = ValueError("an address such as https://host or http://127.0.0.1:8600 is taken")
    if not text:
        return text
    try:
        parts = urlsplit(text)
        is_address = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        raise wrong from None
    if not is_address or parts.query or parts.fragment or "@" in parts.netloc or not text.isprintable():
        raise wrong
    return text


def is_loopback(url: str) -> bool:
    """Whether a URL names this machine."""
    host = urlsplit(url).hostname or ""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host in _LOOPBACK_NAMES


def loopback_listener(text: str) -> str:
    """Return `host:port` of a listener that only this machine reaches, such as `127.0.0.1:8600`; empty stays.

    Raises:
        ValueError: others could reach it, or it is no address; the message says how to look from elsewhere.
    """
    if not text:
        return text
    wrong = ValueError(
        "host and port of this machine alone are taken, such as 127.0.0.1:8600. To look from another "
        "machine, leave it so and run there: ssh -N -L 8600:127.0.0.1:8600 USER@THIS_MACHINE"
    )
    try:
        parts = urlsplit(f"//{text}")
        is_whole = parts.port is not None and parts.netloc == text and "@" not in text
    except ValueError:
        raise wrong from None
    if not is_whole or not is_loopback(f"//{text}"):
        raise wrong
    return text


def plausible_instant(instant: datetime) -> datetime:
    """Return an instant at which markets are known.

    Raises:
        ValueError: it is centuries away.
    """
    if not _EARLIEST <= instant <= _LATEST:
        raise ValueError("a time between 1980 and 2200 is taken")
    return instant
