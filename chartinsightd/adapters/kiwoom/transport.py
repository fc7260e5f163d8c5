"""One HTTP exchange with the broker: through the gate, within its timeouts, refusals turned into errors."""

from __future__ import annotations

import codecs
import re
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from types import TracebackType
from typing import Protocol

import aiohttp
import msgspec

from chartinsightd.adapters.connection_words import in_words
from chartinsightd.adapters.kiwoom.bounds import LARGEST_ANSWER
from chartinsightd.adapters.kiwoom.connections import QuietConnector
from chartinsightd.adapters.kiwoom.errors import error_in_envelope, error_in_text, is_success
from chartinsightd.adapters.kiwoom.gate import Gate, Slot
from chartinsightd.clock import BELIEVED, DATE_GRAIN, Clock, is_plausible
from chartinsightd.domain.errors import (
    AccessBlocked,
    MalformedAnswer,
    RateLimited,
    SourceError,
    SourceUnavailable,
)
from chartinsightd.domain.foreign_text import quoted
from chartinsightd.domain.redaction import Redaction
from chartinsightd.facts.krx import KST
from chartinsightd.ports.broker import Priority
from chartinsightd.ports.guards import BrokerCircuit

_JSON = "application/json;charset=UTF-8"
_TRIES_AT_THE_GATE = 8
_ABOUT_TOKENS = frozenset({"au10001", "au10002"})
_BEGINNING = 65_536
"""Bytes of an answer in which the words of a refusal are sought."""
_LONGEST_SECRET = 4_096
"""Bytes that no key or token exceeds."""
_UNPACKABLE = "content-encoding"
"""Stands in aiohttp's errors of answers that it cannot unpack."""
_CODINGS = frozenset({"", "identity", "gzip", "deflate"})
_CHARSET = re.compile(r"charset=[\"']?([\w-]+)", re.ASCII | re.IGNORECASE)
_CODECS = dict.fromkeys(("euc-kr", "ks_c_5601-1987", "cp949", "ms949", "uhc"), "cp949") | {"utf-16": "utf-16"}
"""Encodings that a gateway may name beside UTF-8, and how they are read: EUC-KR is a part of CP949."""
_LONGEST_COUNT = 9
"""Digits; Python refuses to read numbers of thousands of them."""

OnDate = Callable[[float, datetime], None]


class Secret(Protocol):
    """A text that is not shown by accident; pydantic's `SecretStr` is one."""

    def get_secret_value(self) -> str:
        """Return the text itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KiwoomAccess:
    """Where the broker is and how to speak to it. Timeouts are real seconds on every clock."""

    base_url: str
    """Scheme, host and port (kiwoom.md#hosts)."""
    app_key: Secret
    secret_key: Secret
    user_agent: str = "curl/8.5.0"
    """aiohttp's own is refused by the broker's firewall (kiwoom.md#firewall)."""
    connect_timeout_s: float = 10.0
    total_timeout_s: float = 60.0
    """The first page of a symbol can take many seconds (kiwoom.md#latency)."""
    largest_body: int = LARGEST_ANSWER
    """Bytes of one answer, unpacked; a longer one is refused."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A successful answer."""

    document: bytes
    """The body: a JSON object whose `return_code` is 0."""
    cont_key: str | None
    """The key of the next page; None where the broker announces none."""
    is_end: bool
    """Whether the broker says that no page follows (`cont-yn: N`). A header that is absent says nothing:
    Kiwoom always sends it (kiwoom.md#response-headers), and a proxy on the way may have dropped it."""
    row_count: int | None
    """How many rows the broker says it sent (`resp-cnt`); None where it does not say."""
    asked_at: datetime
    """When the request left; aware, UTC; by the broker's own `Date` where that is earlier and believed."""


class _Envelope(msgspec.Struct):
    return_code: int | str | None = None
    return_msg: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Reply:
    status: int
    headers: Mapping[str, str]
    """Their names are compared case-insensitively."""
    body: bytes
    asked_at: datetime


class _Unguarded:
    """Implements `ports.BrokerCircuit` for who asks once: everything is let through, nothing remembered."""

    def check(self) -> None:
        """Let it through."""

    def attempt(self) -> AbstractContextManager[None]:
        """Let it through."""
        return nullcontext()

    def refused(self, error: AccessBlocked) -> None:
        """Forget it."""

    def passed(self) -> None:
        """Forget it."""


class Transport:
    """One keep-alive session to the broker. Entered as an async context manager.

    Args:
        access: where and how.
        gate: through which every request passes; entered already.
        clock: what time it is.
        circuit: told what the broker thinks of us, and asked before each request.
        on_date: told the `Date` of each answer, and when its request left in the clock's monotonic seconds;
            None where dates are not believed.
    """

    def __init__(
        self,
        access: KiwoomAccess,
        gate: Gate,
        clock: Clock,
        circuit: BrokerCircuit | None = None,
        on_date: OnDate | None = None,
    ) -> None:
        self._access = access
        self._circuit = circuit or _Unguarded()
        self._gate = gate
        self._clock = clock
        self._on_date = on_date
        self._session: aiohttp.ClientSession | None = None
        self._decode = msgspec.json.Decoder(_Envelope).decode

    async def __aenter__(self) -> Transport:
        self._session = aiohttp.ClientSession(
            timeout=aiohttp.ClientTimeout(
                total=self._access.total_timeout_s, connect=self._access.connect_timeout_s
            ),
            headers={"User-Agent": self._access.user_agent, "Accept-Encoding": "gzip"},
            cookie_jar=aiohttp.DummyCookieJar(),
            connector=QuietConnector(),
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def exchange(
        self,
        api_id: str,
        path: str,
        body: Mapping[str, str],
        *,
        priority: Priority,
        headers: Mapping[str, str] | None = None,
        secrets: Iterable[str] = (),
    ) -> Answer:
        """Make one request and return its answer; a refusal for pace is waited out at the gate and repeated.

        Args:
            api_id: the lane of the gate, and the name in messages.
            path: of the URL.
            body: the fields of the JSON object that is sent.
            priority: at the gate.
            headers: beside `Content-Type`.
            secrets: what must not appear in a message, beside the keys.

        Raises:
            SourceError: see `domain.errors`; RateLimited when the broker refused for its pace many times
            running; StillBlocked when it was not asked.
        """
        tries = _TRIES_AT_THE_GATE
        while True:
            self._circuit.check()
            async with self._gate.slot(api_id, priority) as slot:
                with self._circuit.attempt():  # asked again: the answer may have changed in the line
                    reply = await self._send(slot, api_id, path, body, headers or {})
                    error = self._error(api_id, reply, secrets)
                    if error is not None:
                        error.http_status = reply.status
                    self._tell(api_id, error)
            try:
                return self._checked(reply, error)
            except RateLimited as refusal:
                slot.throttled(refusal.limit)
                tries -= 1
                if not tries:
                    raise

    async def _send(
        self, slot: Slot, api_id: str, path: str, body: Mapping[str, str], headers: Mapping[str, str]
    ) -> _Reply:
        """Send one request; the one place that knows the HTTP library's errors."""
        if self._session is None:
            raise SourceUnavailable("The connection to the broker is closed.")
        asked_at, sent_s = self._clock.now(), self._clock.monotonic()
        try:
            async with self._session.post(
                f"{self._access.base_url}{path}",
                data=msgspec.json.encode(body),
                headers={"Content-Type": _JSON, **headers},
                allow_redirects=False,
            ) as response:
                slot.answered()
                _check_echo(api_id, response)
                _check_coding(api_id, response.headers)
                asked_at = self._dated(response.headers, asked_at, sent_s)
                content = await self._read(api_id, response)
                return _Reply(
                    status=response.status,
                    headers=response.headers,
                    body=_as_utf8(content, response.headers.get("Content-Type", "")),
                    asked_at=asked_at,
                )
        except aiohttp.ConnectionTimeoutError as error:
            raise SourceUnavailable(f"{api_id} did not reach Kiwoom in time.") from error
        except TimeoutError as error:
            slot.given_up()
            raise SourceUnavailable(f"Kiwoom did not answer {api_id} in time.") from error
        except (aiohttp.ClientError, OSError) as error:
            if not isinstance(error, aiohttp.ClientConnectorError):
                slot.cut_off()
            if _UNPACKABLE in str(error).lower():
                raise _packed(api_id) from error
            cause = self._redacted(in_words(error), ())
            raise SourceUnavailable(f"{api_id} did not reach Kiwoom and back: {cause}.") from error

    def _dated(self, headers: Mapping[str, str], asked_at: datetime, sent_s: float) -> datetime:
        """Return when a request left, corrected by the `Date` of its answer if our clock runs ahead.

        A `Date` of days before is of an answer kept somewhere, or our clock is wrong: the answer is not used.
        After three of one mind the clock is held back to them, and later answers are used.

        No capture shows whether Kiwoom sends one (kiwoom.md#response-headers); nothing is lost without it.
        """
        date = _date(headers)
        if self._on_date is None or date is None or not is_plausible(date):
            return asked_at
        self._on_date(sent_s, date)
        if asked_at - date > BELIEVED:
            raise SourceUnavailable(
                f"Kiwoom's answer is dated {date.astimezone(KST):%Y-%m-%d %H:%M} KST, days before this"
                f" machine's clock ({asked_at.astimezone(KST):%Y-%m-%d %H:%M} KST): it is not used.",
                remedy="Set this machine's clock (`timedatectl`), or look for a cache on the way to Kiwoom.",
            )
        if asked_at - date <= DATE_GRAIN:
            return asked_at
        return date - timedelta(seconds=self._clock.monotonic() - sent_s)

    async def _read(self, api_id: str, response: aiohttp.ClientResponse) -> bytes:
        body = bytearray()
        async for chunk in response.content.iter_any():
            body += chunk
            if len(body) > self._access.largest_body:
                raise MalformedAnswer(
                    f"Kiwoom's answer to {api_id} is longer than {self._access.largest_body} bytes."
                )
        return bytes(body)

    def _tell(self, api_id: str, error: SourceError | None) -> None:
        """Tell the circuit; a token alone does not prove that data comes (8010 refuses only that)."""
        if isinstance(error, AccessBlocked):
            self._circuit.refused(error)
        elif error is None and api_id not in _ABOUT_TOKENS:
            self._circuit.passed()

    def _checked(self, reply: _Reply, error: SourceError | None) -> Answer:
        if error is not None:
            raise error
        return Answer(
            document=reply.body,
            cont_key=_cont_key(reply.headers),
            is_end=reply.headers.get("cont-yn", "").upper() == "N",
            row_count=_row_count(reply.headers),
            asked_at=reply.asked_at,
        )

    def _error(self, api_id: str, reply: _Reply, secrets: Iterable[str]) -> SourceError | None:
        envelope = self._envelope(reply.body)
        if envelope is None:
            return error_in_text(api_id, reply.status, self._redacted(_beginning(reply.body), secrets))
        return_code, words = envelope
        if is_success(reply.status, return_code):
            return None  # nothing quotes it, so nothing need be looked for in it
        message = self._redacted(words[: _BEGINNING + _LONGEST_SECRET], secrets)[:_BEGINNING]
        return error_in_envelope(api_id, reply.status, return_code, message)

    def _envelope(self, body: bytes) -> tuple[int, str] | None:
        """Return `return_code` and `return_msg` of a JSON answer; None where it has no usable one."""
        try:
            envelope = self._decode(body if _is_utf8(body) else body.decode("cp949", "replace").encode())
            code = "" if envelope.return_code is None else str(envelope.return_code)
            return int(code.encode("ascii")), envelope.return_msg or ""
        except (msgspec.MsgspecError, ValueError, RecursionError):
            return None

    def _redacted(self, text: str, secrets: Iterable[str]) -> str:
        keys = (self._access.app_key.get_secret_value(), self._access.secret_key.get_secret_value())
        return Redaction((*keys, *secrets)).clean(text)


def _check_echo(api_id: str, response: aiohttp.ClientResponse) -> None:
    """End a connection whose answer is that of another request: what follows on it is too.

    Raises:
        MalformedAnswer: the broker echoes another api-id (kiwoom.md#response-headers) than the one asked for.
    """
    echoed = response.headers.get("api-id", "")
    if echoed and echoed != api_id:
        response.close()
        raise MalformedAnswer(f"Asked for {api_id}, Kiwoom gave an answer of {quoted(echoed)}.")


def _check_coding(api_id: str, headers: Mapping[str, str]) -> None:
    """Refuse an answer that nothing here can unpack; aiohttp hands it on as it is.

    Raises:
        MalformedAnswer: it is packed in a way that was not offered.
    """
    if headers.get("Content-Encoding", "").strip().lower() not in _CODINGS:
        raise _packed(api_id)


def _packed(api_id: str) -> MalformedAnswer:
    return MalformedAnswer(
        f"The answer to {api_id} is packed in a way that was not offered, or damaged on the way.",
        remedy="Only gzip is offered: turn off the compression of the proxy or relay before Kiwoom.",
    )


def _as_utf8(body: bytes, content_type: str) -> bytes:
    """Return an answer in UTF-8: JSON's encoding (RFC 8259, 8.1), which a gateway on the way may change.

    Bytes that are no UTF-8 are converted only where the answer names its encoding: anywhere else they are
    damage, and cost the row they are in.
    """
    body = body.removeprefix(codecs.BOM_UTF8)
    declared = _CHARSET.search(content_type)
    codec = _CODECS.get(declared[1].lower()) if declared else None
    if codec is None or _is_utf8(body):
        return body
    return body.decode(codec, "replace").encode()


def _is_utf8(body: bytes) -> bool:
    try:
        body.decode()
    except UnicodeDecodeError:
        return False
    return True


def _beginning(body: bytes) -> str:
    """Return the beginning of an answer as text: UTF-8, else the Korean encoding that older gateways use.

    A secret that the cut goes through would not be recognised, so the last part is left out.
    """
    part = body[: _BEGINNING + _LONGEST_SECRET]
    text = part.decode(errors="replace") if _is_utf8(body) else part.decode("cp949", errors="replace")
    return text if len(body) <= _BEGINNING else text[:-_LONGEST_SECRET]


def _cont_key(headers: Mapping[str, str]) -> str | None:
    """Return the next page's key: empty, not None, where the broker says `Y` and names no key."""
    return headers.get("next-key", "") if headers.get("cont-yn", "").upper() == "Y" else None


def _date(headers: Mapping[str, str]) -> datetime | None:
    try:
        date = parsedate_to_datetime(headers.get("Date", ""))
        return (date if date.tzinfo else date.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, TypeError, OverflowError, IndexError):
        return None


def _row_count(headers: Mapping[str, str]) -> int | None:
    count = headers.get("resp-cnt", "")
    is_number = count.isascii() and count.isdecimal() and len(count) <= _LONGEST_COUNT
    return int(count) if is_number else None
