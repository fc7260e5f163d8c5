"""Keys and access tokens: au10001, au10002 and every check of a token (kiwoom.md#tokens)."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from chartinsightd.simulator import wire_errors as errors
from chartinsightd.simulator.settings import OTHER_ENVIRONMENT_APP_KEY


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """An issued access token."""

    text: str
    app_key: str
    expires_at: datetime
    """Aware, KST."""


class Tokens:
    """Issues and checks the tokens of the registered app keys.

    Args:
        keys: the secret key of each app key that is registered.
        valid: how long a token lives, in virtual time.
        rotates: whether a second issue kills the first token (kiwoom.md#second-token).
    """

    def __init__(self, keys: Mapping[str, str], valid: timedelta, *, rotates: bool = False) -> None:
        self._keys = dict(keys)
        self._valid = valid
        self._rotates = rotates
        self._living: dict[str, Token] = {}
        self.issued: list[str] = []
        """The text of every token there ever was, for tests that look for them where they must not be."""
        self.blocked_keys: frozenset[str] = frozenset()
        """Keys that get 8050 from any address."""
        self.allowed_addresses: frozenset[str] | None = None
        """The allow-list of addresses; None allows all."""

    def issue(
        self, app_key: str, secret_key: str, address: str, now: datetime, *, rotate: bool = False
    ) -> Token:
        """Return the key's living token, or a new one.

        Raises:
            Refused: 8001, 8030 or 8050.
        """
        self._check_keys(app_key, secret_key)
        self._check_address(app_key, address)
        token = self._living.get(app_key)
        if token is None or token.expires_at <= now or self._rotates or rotate:
            token = Token(text=secrets.token_urlsafe(48), app_key=app_key, expires_at=now + self._valid)
            self._living[app_key] = token
            self.issued.append(token.text)
        return token

    def owner(self, text: str, now: datetime) -> str:
        """Return the app key a token belongs to.

        Raises:
            Refused: 8005.
        """
        for token in self._living.values():
            if token.text == text and now < token.expires_at:
                return token.app_key
        raise errors.token_invalid()

    def app_key_of(self, authorization: str) -> str:
        """Return the app key whose token an Authorization header names; empty for any other."""
        text = authorization.partition(" ")[2]
        return next((token.app_key for token in self._living.values() if token.text == text), "")

    def lane(self, app_key: str, api_id: str) -> str:
        """Return what a request counts under: the api-id, and from the second account on its number.

        What belongs to no account counts with the first one's.
        """
        number = [*self._keys].index(app_key) if app_key in self._keys else 0
        return f"{api_id}/{number + 1}" if number else api_id

    def revoke(self, app_key: str, secret_key: str, text: str) -> None:
        """End a token.

        Raises:
            Refused: 8001, 8030 or 8015.
        """
        self._check_keys(app_key, secret_key)
        token = self._living.get(app_key)
        if token is None or token.text != text:
            raise errors.revoke_failed("Token이 유효하지 않습니다")
        del self._living[app_key]

    def invalidate(self) -> int:
        """End all tokens, as another program's issue would; return how many there were."""
        count = len(self._living)
        self._living.clear()
        return count

    def _check_keys(self, app_key: str, secret_key: str) -> None:
        if app_key == OTHER_ENVIRONMENT_APP_KEY:
            raise errors.other_environment()
        if app_key not in self._keys:
            raise errors.bad_keys()
        if self._keys[app_key] != secret_key:
            raise errors.mismatched_keys()

    def _check_address(self, app_key: str, address: str) -> None:
        listed = self.allowed_addresses is None or address in self.allowed_addresses
        if not listed or app_key in self.blocked_keys:
            raise errors.address_not_registered()
