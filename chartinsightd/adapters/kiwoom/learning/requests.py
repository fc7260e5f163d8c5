"""What single requests show: keys of pages, batches, tokens, the pace."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from chartinsightd.adapters.kiwoom.gate import Gate
from chartinsightd.adapters.kiwoom.token import Token, TokenIssuer
from chartinsightd.adapters.kiwoom.transport import Answer, Transport
from chartinsightd.adapters.kiwoom.wire import decode_chart
from chartinsightd.clock import Clock
from chartinsightd.domain.errors import RequestRefused, TokenRejected
from chartinsightd.domain.learned import Finding, Question
from chartinsightd.domain.timeframe import Timeframe
from chartinsightd.facts.krx import KST
from chartinsightd.ports.broker import LaneState, Priority
from chartinsightd.task_group import TaskGroup

_CHARTS, _STOCKS = "/api/dostk/chart", "/api/dostk/stkinfo"
_QUOTES = "ka10095"
_SECONDS_OF_PACE = 4
_MOST_PAGES = 12
"""Sixty years of weeks have eleven."""
_TOO_MANY = 101
"""Codes in one request for quotes (kiwoom.md#batch-too-big)."""
_DAMAGED_KEY = "A0000000000000000000000000000"


@dataclass(slots=True, kw_only=True)
class Dates:
    """Remembers the `Date` of answers."""

    clock: Clock
    heard: list[tuple[datetime, datetime]] = field(default_factory=list)
    """Ours and theirs, aware."""

    def __call__(self, sent_s: float, date: datetime) -> None:
        """Remember one."""
        del sent_s
        self.heard.append((self.clock.now(), date))

    def finding(self) -> Finding:
        """Return whether they can be used; ask it last."""
        if not self.heard:
            return Finding(question=Question.DATE, answer="absent", words="no answer had a usable Date")
        apart_s = (self.heard[-1][0] - self.heard[-1][1]).total_seconds()
        words = f"{len(self.heard)} answers had a Date, the last {apart_s:+.0f} s behind this clock"
        return Finding(question=Question.DATE, answer="now", words=words)


@dataclass(slots=True, kw_only=True)
class RequestQuestions:
    """Makes requests that the daemon never makes, one of each.

    Args:
        transport: entered already.
        issuer: whose token the requests carry.
        gate: what it says of the pace after all of them.
        clock: what day it is.
        symbols: of listed stocks, the first with a long history.
    """

    transport: Transport
    issuer: TokenIssuer
    gate: Gate
    clock: Clock
    symbols: Sequence[str]

    async def findings(self) -> AsyncIterator[Finding]:
        """Yield the answers.

        Raises:
            SourceError: see `domain.errors`.
        """
        yield await self._empty_page()
        yield await self._bad_key()
        yield await self._batch_status()
        yield await self._second_token()
        yield await self._pace()

    async def _pace(self) -> Finding:
        """Ask for quotes as fast as the gate lets pass, for some seconds."""
        token = await self.issuer.token()
        body = {"stk_cd": self.symbols[0]}
        count = _SECONDS_OF_PACE * self._lane().ceiling
        async with TaskGroup() as group:
            for _ in range(count):
                group.create_task(self._post(token, _QUOTES, _STOCKS, body))
        lane = self._lane()
        words = f"{count} requests, {lane.throttled} refusals for the pace"
        return Finding(question=Question.PACE, answer=lane.limit, words=words)

    def _lane(self) -> LaneState:
        return next(lane for lane in self.gate.state() if lane.api_id == _QUOTES)

    async def _empty_page(self) -> Finding:
        """Read a chart of weeks to its end."""
        key: str | None = None
        for count in range(1, _MOST_PAGES + 1):
            answer = await self._weeks(key)
            rows = decode_chart(answer.document, self.symbols[0], Timeframe.W1).rows
            if answer.cont_key is None:
                return self._loop(answer=False, words=f"page {count}, the last one, says so")
            if rows == 0 or answer.cont_key.endswith("-1"):
                return self._loop(answer=True, words=f"page {count} has {rows} rows and announces another")
            key = answer.cont_key
        return self._loop(answer=None, words=f"no end within {_MOST_PAGES} pages")

    @staticmethod
    def _loop(*, answer: bool | None, words: str) -> Finding:
        return Finding(question=Question.EMPTY_PAGE, answer=answer, words=words)

    async def _bad_key(self) -> Finding:
        try:
            answer = await self._weeks(_DAMAGED_KEY)
        except RequestRefused as error:
            return Finding(question=Question.BAD_KEY, answer="refused", words=error.message)
        rows = decode_chart(answer.document, self.symbols[0], Timeframe.W1).rows
        said = "first_page" if rows else "blank"
        return Finding(question=Question.BAD_KEY, answer=said, words=f"{rows} rows for a damaged key")

    async def _batch_status(self) -> Finding:
        codes = [self.symbols[place % len(self.symbols)] for place in range(_TOO_MANY)]
        body = {"stk_cd": "|".join(codes)}
        try:
            await self._post(await self.issuer.token(), _QUOTES, _STOCKS, body)
        except RequestRefused as error:
            status = error.http_status
            return Finding(
                question=Question.BATCH_STATUS, answer=status, words=f"HTTP {status}: {error.message}"
            )
        return Finding(question=Question.BATCH_STATUS, answer=None, words=f"{_TOO_MANY} codes were taken")

    async def _second_token(self) -> Finding:
        """Issue a second token, and use the first one."""
        first = await self.issuer.token()
        second = await self.issuer.renew(first)
        if first.text == second.text:
            words = "a second issue gave the living token again"
            return Finding(question=Question.SECOND_TOKEN, answer="same", words=words)
        try:
            await self._weeks(None, first)
        except TokenRejected:
            words = "a second issue gave another token, and the first was rejected"
            return Finding(question=Question.SECOND_TOKEN, answer="rotate", words=words)
        words = "a second issue gave another token, and both live"
        return Finding(question=Question.SECOND_TOKEN, answer="both", words=words)

    async def _weeks(self, key: str | None, token: Token | None = None) -> Answer:
        body = {
            "stk_cd": self.symbols[0],
            "base_dt": f"{self.clock.now().astimezone(KST):%Y%m%d}",
            "upd_stkpc_tp": "0",
        }
        return await self._post(token or await self.issuer.token(), "ka10082", _CHARTS, body, key)

    async def _post(
        self, token: Token, api_id: str, path: str, body: dict[str, str], key: str | None = None
    ) -> Answer:
        headers = {"api-id": api_id, "authorization": f"Bearer {token.text}"}
        if key is not None:
            headers |= {"cont-yn": "Y", "next-key": key}
        return await self.transport.exchange(
            api_id, path, body, priority=Priority.VERIFICATION, headers=headers, secrets=[token.text]
        )
