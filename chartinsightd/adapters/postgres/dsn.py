"""The database URL: what libpq allows in it, checked before anybody connects; nothing secret is ever shown.

Source of the parameters: PostgreSQL manual, "Parameter Key Words" (34.1.2) and "Connection URIs" (34.1.1.2).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType
from urllib.parse import parse_qsl, quote, unquote, urlencode

from chartinsightd.domain.errors import ConfigurationError

_URL = re.compile(
    r"postgres(?:ql)?://"
    r"(?:(?P<who>[^@/?#]*)@)?(?P<hosts>[^@/?#]*)(?P<path>/[^@?#]*)?(?:\?(?P<query>[^@#]*))?",
    re.IGNORECASE,
)
_PORT = re.compile(r"(?:\[[^\]]*\]|[^:\[\]]*)(?::(?P<port>\d{1,5}))?")

_ASYNCPG_KNOWS = frozenset(
    {
        "host",
        "port",
        "dbname",
        "user",
        "password",
        "passfile",
        "service",
        "servicefile",
        "options",
        "sslmode",
        "sslcert",
        "sslkey",
        "sslpassword",
        "sslrootcert",
        "sslcrl",
        "sslnegotiation",
        "ssl_min_protocol_version",
        "ssl_max_protocol_version",
        "target_session_attrs",
        "krbsrvname",
        "gsslib",
    }
)
_SET_BY_US = frozenset(
    {
        "application_name",
        "fallback_application_name",
        "connect_timeout",
        "keepalives",
        "keepalives_idle",
        "keepalives_interval",
        "keepalives_count",
        "tcp_user_timeout",
    }
)
"""Valid, and without an effect: names and patience are the daemon's own."""
_ONLY_AS: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        "channel_binding": frozenset({"disable", "prefer"}),
        "gssencmode": frozenset({"disable", "prefer"}),
        "client_encoding": frozenset({"auto", "utf8", "utf-8", "unicode"}),
        "sslcompression": frozenset({"0"}),
        "sslsni": frozenset({"1"}),
        "sslcertmode": frozenset({"allow"}),
        "gssdelegation": frozenset({"0"}),
        "load_balance_hosts": frozenset({"disable"}),
        "requiressl": frozenset({"0"}),
    }
)
"""Parameters that hold as long as they ask for nothing that asyncpg cannot do."""
_REMEDIES = {
    "channel_binding": "Write sslmode=verify-full instead: the server's certificate proves who it is.",
    "gssencmode": "Write sslmode=verify-full instead: the connection is encrypted by TLS.",
    "pgbouncer": "It is Prisma's word for a pooler in transaction mode. Remove it, and let the URL name the"
    " database itself or a pooler in session mode (often port 5432 instead of 6543).",
}
_HOW = "Write it as postgresql://user@host:5432/database."
_HOW_QUOTED = (
    f"{_HOW} In user and password write @ as %40, / as %2F, ? as %3F, # as %23, : as %3A and % as %25."
)


def checked(dsn: str) -> str:
    """Return a URL without the parameters that the daemon sets itself.

    Raises:
        ConfigurationError: it is no PostgreSQL URL, or has a parameter that cannot be obeyed; the message
            names that and quotes nothing else.
    """
    parts = _URL.fullmatch(dsn)
    if parts is None:
        raise ConfigurationError("database.dsn is not a PostgreSQL URL.", remedy=_HOW_QUOTED)
    if not _are_hosts(parts["hosts"]):
        raise ConfigurationError("database.dsn names no valid host and port.", remedy=_HOW_QUOTED)
    query = _query(parts["query"] or "")
    for name, value in query.items():
        _check_parameter(name, value)
    kept = {name: value for name, value in query.items() if name in _ASYNCPG_KNOWS}
    bare = dsn.partition("?")[0]
    return f"{bare}?{urlencode(kept, quote_via=quote, safe='/')}" if kept else bare


def _are_hosts(text: str) -> bool:
    found = [_PORT.fullmatch(host) for host in text.split(",")]
    return all(one is not None and int(one["port"] or 1) in range(1, 65536) for one in found)


def _query(text: str) -> dict[str, str]:
    try:
        pairs = parse_qsl(text, keep_blank_values=True, strict_parsing=bool(text))
    except ValueError:
        raise ConfigurationError(
            "The part of database.dsn after ? is not made of name=value.", remedy=_HOW_QUOTED
        ) from None
    return dict(pairs)


def _check_parameter(name: str, value: str) -> None:
    if name in _ASYNCPG_KNOWS | _SET_BY_US or value.lower() in _ONLY_AS.get(name, ()):
        return
    shown = name if name.isidentifier() and len(name) <= 40 else "of an unreadable name"
    which = f"{shown}={value}" if name in _ONLY_AS and value.isidentifier() else shown
    raise ConfigurationError(
        f"database.dsn has the parameter {which}, which ChartInsight cannot obey.",
        remedy=_REMEDIES.get(name, "Remove it from the URL; settings of the session are the daemon's own."),
    )


def place_of(dsn: str) -> str:
    """Return host, port and database of a URL, without user and password; of anything else no part."""
    parts = _URL.fullmatch(dsn)
    if parts is None or not _are_hosts(parts["hosts"]):
        return "database.dsn"
    query = dict(parse_qsl(parts["query"] or ""))
    hosts = parts["hosts"] or query.get("host") or "localhost"
    return f"{hosts}{unquote(parts['path'] or '')}"
