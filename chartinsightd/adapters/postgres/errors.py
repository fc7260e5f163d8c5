"""The one place that knows what asyncpg and PostgreSQL raise, and what the caller does about it.

Whatever the server says becomes one of two errors: it may pass (`StoreUnavailable`), or a person has to do
something (`StoreRefused`), told with the server's own words. Source of the codes: PostgreSQL manual,
appendix A.
"""

from __future__ import annotations

import os
import re
import socket
import ssl
import traceback
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

import asyncpg
import structlog

from chartinsightd.adapters.postgres.dsn import place_of
from chartinsightd.domain.errors import (
    ChartInsightError,
    ConfigurationError,
    RowsRefused,
    StoreError,
    StoreRefused,
    StoreUnavailable,
)

log = structlog.get_logger(__name__)

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
SHAPE_IS_OTHER = (
    asyncpg.UndefinedTableError,
    asyncpg.UndefinedColumnError,
    asyncpg.UndefinedFunctionError,
    asyncpg.InvalidSchemaNameError,
    asyncpg.DatatypeMismatchError,
)
"""The tables are not those that this connection saw when it was prepared."""
POOLED = (asyncpg.InvalidSQLStatementNameError, asyncpg.DuplicatePreparedStatementError)
"""Statements were prepared in one session and meet another: a pooler in transaction mode."""
ROW_REFUSALS = (
    asyncpg.IntegrityConstraintViolationError,
    asyncpg.DataError,
    asyncpg.WithCheckOptionViolationError,
    asyncpg.PLPGSQLError,
    asyncpg.InsufficientPrivilegeError,  # a policy of row-level security
    StoreRefused,  # the server took fewer rows than it was sent
)
"""What a constraint, a trigger or a policy answers that refuses a single row."""
_TIME_LIMITS = {
    "idle_in_transaction_session_timeout": ("25P03", "idle-in-transaction timeout"),
    "transaction_timeout": ("25P04", "transaction timeout"),
    "statement_timeout": ("57014", "statement timeout"),
    "idle_session_timeout": ("57P05", "idle-session timeout"),
}
"""By setting: the code with which the server ends what takes longer, and its words where the code is lost."""
_LONGEST_WORDS = 300
_ERRNO = re.compile(r"\[Errno (\d{1,4})\]", re.ASCII)
"""In Python's words of a system call that failed; where several addresses were tried, the first."""

REMEDY_POOLED = (
    "Let database.dsn name the database itself, or a pooler in session mode: in transaction mode each"
    " transaction meets another session (docs/operating.md, Poolers)."
)


@contextmanager
def store_errors(dsn: str) -> Iterator[None]:
    """Turn whatever is raised into errors of ours: nothing that a database says or does ends the daemon.

    Raises:
        StoreUnavailable: it may pass.
        StoreRefused: a person has to do something.
    """
    try:
        yield
    except ChartInsightError:
        raise
    except asyncpg.ClientConfigurationError:
        # Its text may quote the password.
        raise ConfigurationError(
            "database.dsn is not a PostgreSQL URL.",
            remedy="Write it as postgresql://user@host:5432/database.",
        ) from None
    except Exception as error:
        raise _told(error, place_of(dsn)) from error


def _told(error: Exception, where: str) -> StoreError:
    if "pooling mode" in str(error):
        return StoreRefused(f"The pooler at {where} keeps no sessions: {said(error)}.", remedy=REMEDY_POOLED)
    if isinstance(error, _PASSING) or type(error) is asyncpg.InternalServerError or _is_closed(error):
        # XX000, and not its damaged pages: Citus says so of a node that was lost within a transaction.
        return _unavailable(error, where)
    if not isinstance(error, asyncpg.PostgresError):
        return _unexpected(error, where)
    code = getattr(error, "sqlstate", None) or "unknown"
    return StoreRefused(
        f"{_what(error, where)}: {said(error)} (SQLSTATE {code}).", remedy=_remedy(error, where)
    )


def rows_refused(error: Exception, rows: Mapping[int, Sequence[int]]) -> RowsRefused:
    """Return the refusal of single rows, given what the server said of the first and which rows they are."""
    count = sum(map(len, rows.values()))
    code = getattr(error, "sqlstate", None)
    words = f"PostgreSQL refuses {count} of the rows: {said(error)}" + (
        f" (SQLSTATE {code})." if code else "."
    )
    remedy = _remedy(error, "") if isinstance(error, asyncpg.PostgresError) else getattr(error, "remedy", "")
    return RowsRefused(words, remedy=remedy, rows=rows)


def _what(error: asyncpg.PostgresError, where: str) -> str:
    match error:
        case asyncpg.InvalidCatalogNameError():
            return f"There is no such database at {where}"
        case asyncpg.InvalidAuthorizationSpecificationError():
            return f"PostgreSQL at {where} does not accept the user or the password"
    return f"PostgreSQL at {where} refuses"


def _unexpected(error: Exception, where: str) -> StoreRefused:
    """Tell of an error that no table names: of the library or ours. The log says where it was raised."""
    frames = traceback.extract_tb(error.__traceback__)[-3:]
    raised_at = " < ".join(f"{frame.filename}:{frame.lineno}" for frame in reversed(frames))
    log.error("store.unexpected_error", error=_words(repr(error)), raised_at=raised_at)
    return StoreRefused(
        f"Writing to or reading from PostgreSQL at {where} failed: {type(error).__name__}: {said(error)}.",
        remedy="It is tried again. If it stays, report it with the log line store.unexpected_error.",
    )


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
                f"PostgreSQL at {where} has no connection left: {said(error)}.",
                remedy="ChartInsight needs six: raise max_connections or the role's CONNECTION LIMIT.",
            )
        case asyncpg.LockNotAvailableError():
            return StoreUnavailable(
                f"PostgreSQL at {where} did not get a lock in time: {said(error)}.",
                remedy="Let the transaction that holds it end; pg_stat_activity lists it.",
            )
        case TimeoutError():
            return StoreUnavailable(
                f"PostgreSQL at {where} does not answer in time.",
                remedy="Look whether it runs and what it waits for: its disk, the network, or in"
                " pg_stat_activity SyncRep, which is a stand-by that confirms no commit.",
            )
        case asyncpg.InternalClientError():
            return StoreUnavailable(
                f"PostgreSQL at {where} ended the session between two statements: {said(error)}.",
                remedy="If it stays, the server's log has the reason; often a limit of time of the role or"
                " database is too short (transaction_timeout, idle_session_timeout).",
            )
        case OSError():
            return StoreUnavailable(
                f"PostgreSQL at {where} cannot be reached: {said(error)}.",
                remedy="Start it, or correct database.dsn.",
            )
    return StoreUnavailable(
        f"PostgreSQL at {where} cannot serve now: {said(error)}.", remedy=_longer_limit(error, where)
    )


def _longer_limit(error: Exception, where: str) -> str:
    """Return how a limit of time is taken back that ended our work; empty where none did."""
    code, words = getattr(error, "sqlstate", None), str(error)
    named = [setting for setting, signs in _TIME_LIMITS.items() if code in signs or signs[1] in words]
    if not named or "user request" in words:
        return ""
    setting = named[0]
    database = where.rpartition("/")[2] or "<database>"
    return (
        f"If it stays: the server is too slow, or its {setting} too short (ALTER ROLE <user> RESET {setting};"
        f" ALTER DATABASE {database} RESET {setting})."
    )


def _remedy(error: asyncpg.PostgresError, where: str) -> str:
    """Return what a person does about a refusal: by its kind, then by the class of its code."""
    database = where.rpartition("/")[2] or "<database>"
    match error:
        case asyncpg.InvalidCatalogNameError():
            return f"Create it (createdb {database}), or correct database.dsn."
        case asyncpg.InvalidAuthorizationSpecificationError():
            return "Correct user and password in database.dsn (or ~/.pgpass, or the server's pg_hba.conf)."
        case asyncpg.InsufficientPrivilegeError():
            return _missing_right(str(error), database)
        case asyncpg.InvalidSQLStatementNameError() | asyncpg.DuplicatePreparedStatementError():
            return REMEDY_POOLED
        case asyncpg.DataCorruptedError() | asyncpg.IndexCorruptedError():
            return (
                "A page of the database is damaged: look after the disk, then REINDEX or restore a backup."
                " What was lost is found and read again (docs/operating.md, Damaged pages)."
            )
    limit = _longer_limit(error, where)
    return limit or _REMEDIES.get((error.sqlstate or "")[:2], "Look into the server's log.")


_REMEDIES = {
    "P0": "A trigger or function of the database raised this: correct it or drop it.",
    "23": "A constraint that ChartInsight did not make refuses the row: drop it.",
    "22": "A trigger or a changed column refuses the value: `chartinsightd check` compares the tables.",
    "54": "The server has reached a limit; for transaction ids let an administrator run VACUUM.",
    "42": "The tables are not as ChartInsight made them: `chartinsightd check` says which.",
    "3F": "The schema is gone: restore it, or restart the daemon, which makes it again.",
    "0A": "This server does not know the statement: use PostgreSQL 15 or newer, without a layer between.",
    "25": "Something ended or forbade the transaction: look for triggers and for a pooler between.",
}


def _missing_right(words: str, database: str) -> str:
    """Return the GRANT that is missing, by the object that the server names; all where it names none."""
    tables = "IN SCHEMA <live or simulation> TO <user>;"
    grants = {
        "owner": "ALTER TABLE <name> OWNER TO <user>;",
        "database": f"GRANT CONNECT, CREATE ON DATABASE {database} TO <user>;",
        "schema": "GRANT USAGE, CREATE ON SCHEMA <live or simulation> TO <user>;",
        "table": f"GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES {tables}",
        "sequence": f"GRANT USAGE ON ALL SEQUENCES {tables}",
    }
    named = [grant for word, grant in grants.items() if word in words]
    return f"Let an administrator run: {' '.join(named[:1] or list(grants.values())[1:])}"


def said(error: Exception) -> str:
    """Return the words of an error, the server's or the system's, short enough for a line."""
    text = str(error)
    is_lost = _is_closed(error) or isinstance(error, asyncpg.ConnectionDoesNotExistError)
    if is_lost or "connection_lost" in text:
        return "the connection was lost"
    if isinstance(error, socket.gaierror):
        return _words(error.strerror or text)
    if isinstance(error, OSError) and not isinstance(error, ssl.SSLError) and (number := _ERRNO.search(text)):
        return os.strerror(int(number[1]))
    return _words(text or type(error).__name__)


def _words(text: str) -> str:
    line = " ".join(text.split()).rstrip(".")
    return line if len(line) <= _LONGEST_WORDS else f"{line[:_LONGEST_WORDS]} …"
