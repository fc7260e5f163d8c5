"""Which of several accounts a symbol is asked through."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from hashlib import blake2b


def account_of(symbol: str, accounts: Sequence[str]) -> str:
    """Return the account, of those that work now, that a symbol belongs to.

    Rendezvous hashing: every account gets the same share of many symbols, and when one is lost only its own
    symbols move, evenly to the others.

    Args:
        symbol: six characters.
        accounts: the names of the accounts that work; at least one.
    """
    return max(accounts, key=lambda account: (_weight(symbol, account), account))


def shares(symbols: Iterable[str], accounts: Sequence[str], most: int) -> dict[str, list[str]]:
    """Divide symbols among accounts that have room for a number of them.

    A symbol whose account is full goes to another one with room; where none has any it is left out.

    Args:
        symbols: the most wanted first.
        accounts: the names of the accounts that work; at least one.
        most: symbols that each account has room for.
    """
    found: dict[str, list[str]] = {account: [] for account in accounts}
    for symbol in symbols:
        with_room = [account for account in accounts if len(found[account]) < most]
        if not with_room:
            break
        found[account_of(symbol, with_room)].append(symbol)
    return found


def _weight(symbol: str, account: str) -> bytes:
    return blake2b(f"{account}\0{symbol}".encode(), digest_size=8).digest()
