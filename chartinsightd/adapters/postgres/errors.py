"""The one place that knows what asyncpg and PostgreSQL raise, and what the caller does about it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import parse_qs, urlsplit

import asyncpg

from chartinsightd.domain.errors import StoreError, StoreRefused, StoreUnavailable

_PASSING = (
    OSError,  # TimeoutError is one
    asyncpg.PostgresConnectionError,
    asyncpg.InsufficientResourcesError,  # disk full, out of memory, too many connections
    asyncpg.OperatorInterventionError,  # shutting down, starting up, cancelled by an administrator
    asyncpg.TransactionRollbackError,  # deadlock, serialization
    asyncpg.ObjectNotInPrerequisiteStateError,  # lock not available
    asyncpg.PostgresSystemError,  # the disk answered with an error
    asyncpg.ReadOnlySQLTransactionError,  # a stand-by for now, or a provider that stops writes on a full disk
    asyncpg.IdleInTransactionSessionTimeoutError,
    asyncpg.UniqueViolationError,  # somebody else wrote a candle between our look and our write: look again
    asyncpg.InvalidCachedStatementError,
    asyncpg.OutdatedSchemaCacheError,
    asyncpg.InternalClientError,
)


@contextmanager
def store_errors(dsn: str) -> Iterator[None]:
    """Turn what the database raises into errors of ours.

    Raises:
        StoreUnavailable: it may pass.
        StoreRefused: only the user can mend it.
    """
    try:
        yield
    except asyncpg.ClientConfigurationError:
        raise _not_a_url() from None  # its text may quote the password
    except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError) as error:
        known = _known(error, dsn)
        if known is None:
            raise
        raise known from error


def check_dsn(dsn: str) -> None:
    """Look whether this is a PostgreSQL URL at all.

    Raises:
        StoreRefused: it is none.
    """
    try:
        is_url = urlsplit(dsn).scheme in {"postgresql", "postgres"} and urlsplit(dsn).port != 0
    except ValueError:
        is_url = False
    if not is_url:
        raise _not_a_url()


def _not_a_url() -> StoreRefused:
    return StoreRefused(
        "database.dsn is not a PostgreSQL URL.", remedy="Write it as postgresql://user@host:5432/database."
    )


def describe(dsn: str) -> str:
    """Return host, port and database of a URL, without user and password."""
    try:
        parts = urlsplit(dsn)
        host = parse_qs(parts.query).get("host", [parts.hostname or "localhost"])[0]
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        return "database.dsn"
    return f"{host}{port}{parts.path}"


def _known(error: Exception, dsn: str) -> StoreError | None:
    where = describe(dsn)
    if isinstance(error, _PASSING) or _is_closed(error):
        return _unavailable(error, where)
    match error:
        case asyncpg.InvalidAuthorizationSpecificationError():
            return StoreRefused(
                f"PostgreSQL at {where} does not accept the user or the password: {_said(error)}.",
                remedy="Correct them in database.dsn (or in ~/.pgpass, or in the server's pg_hba.conf).",
            )
        case asyncpg.InvalidCatalogNameError():
            name = where.rpartition("/")[2]
            return StoreRefused(
                f"There is no such database at {where}.",
                remedy=f"Create it (createdb {name}) or correct database.dsn.",
            )
        case asyncpg.InsufficientPrivilegeError():
            return StoreRefused(
                f"The database user lacks a right at {where}: {_said(error)}.",
                remedy="Let an administrator run: GRANT CREATE ON DATABASE <database> TO <user>.",
            )
    return None


def _is_closed(error: Exception) -> bool:
    """Whether the connection is of no use any more.

    Each is used by one caller at a time: "another operation" is one that a lost connection left behind.
    """
    words = ("closed", "another operation is in progress")
    return isinstance(error, asyncpg.InterfaceError) and any(word in str(error) for word in words)


def _unavailable(error: Exception, where: str) -> StoreUnavailable:
    match error:
        case asyncpg.DiskFullError():
            return StoreUnavailable(f"The disk of PostgreSQL at {where} is full.", remedy="Free some space.")
        case asyncpg.TooManyConnectionsError():
            return StoreUnavailable(
                f"PostgreSQL at {where} has no connection left.",
                remedy="Raise max_connections or close other programs.",
            )
        case OSError():
            return StoreUnavailable(
                f"PostgreSQL at {where} cannot be reached: {_said(error)}.",
                remedy="Start it, or correct database.dsn.",
            )
    return StoreUnavailable(f"PostgreSQL at {where} cannot serve now: {_said(error)}.")


def _said(error: Exception) -> str:
    return (str(error) or type(error).__name__).rstrip(".")
