"""Speaks to a simulator's admin door: for demonstrations, tests and benchmarks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import aiohttp

Row = tuple[int, int, int, int, int, int, int | None, bool]
"""Start of the candle (seconds since the epoch, UTC), open, high, low, close, volume, value, final."""


class AdminClient:
    """One simulator's admin door. Entered as an async context manager.

    Args:
        url: what the simulator printed at its start.
    """

    def __init__(self, url: str) -> None:
        self._url = url

    async def __aenter__(self) -> AdminClient:
        self._session = aiohttp.ClientSession(self._url, timeout=aiohttp.ClientTimeout(total=120))
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._session.close()

    async def now(self) -> datetime:
        """Return virtual time: aware, KST."""
        return datetime.fromisoformat((await self._get("clock"))["now"])

    async def clock(self) -> dict[str, Any]:
        """Return the virtual clock: `now`, `start` (ISO), `speed`, `anchor` (seconds since the epoch)."""
        return await self._get("clock")

    async def set_clock(self, *, to: datetime | None = None, speed: float | None = None) -> None:
        """Jump to another time, or change the pace."""
        body: dict[str, Any] = {}
        if to is not None:
            body["set"] = to.isoformat()
        if speed is not None:
            body["speed"] = speed
        await self._post("clock", body)

    async def stats(self) -> dict[str, Any]:
        """Return the counts of requests, refusals and violations of the limit, in all and by api-id.

        `cpu_s` is the CPU that the simulator used since its start.
        """
        return await self._get("stats")

    async def requests(self, after: int = 0) -> list[dict[str, Any]]:
        """Return the log of requests after a number, oldest first."""
        found: list[dict[str, Any]] = (await self._get("requests", after=after))["requests"]
        return found

    async def issues(self) -> list[dict[str, Any]]:
        """Return the listed issues."""
        found: list[dict[str, Any]] = (await self._get("issues"))["issues"]
        return found

    async def tokens(self) -> list[str]:
        """Return the text of every token that was issued."""
        found: list[str] = (await self._get("tokens"))["tokens"]
        return found

    async def actions(self, symbol: str) -> list[tuple[str, float, float]]:
        """Return the corporate actions of a symbol, past and to come: first day, price and volume factor."""
        return [tuple(action) for action in (await self._get("actions", symbol=symbol))["actions"]]

    async def truth(
        self, symbol: str, timeframe: str, start: int, end: int, *, adjusted: bool = False
    ) -> list[Row]:
        """Return what is served now for the candles that start in [start, end), oldest first."""
        query = {
            "symbol": symbol,
            "timeframe": timeframe,
            "from": start,
            "to": end,
            "adjusted": int(adjusted),
        }
        return [tuple(row) for row in (await self._get("truth", **query))["rows"]]

    async def switch_faults(self, mix: Sequence[Mapping[str, Any]], seed: int = 1) -> None:
        """Replace the faults in force; an empty mix ends them."""
        await self._post("faults", {"seed": seed, "mix": list(mix)})

    async def invalidate_tokens(self) -> None:
        """End all tokens: their holders get 8005."""
        await self._post("tokens/invalidate", {})

    async def allow_addresses(self, addresses: Sequence[str] | None) -> None:
        """Register addresses with the key; None lets everybody in."""
        await self._post("ip-allowlist", {"allow": addresses})

    async def block_keys(self, keys: Sequence[str]) -> None:
        """Refuse these keys a token; those not named get one again."""
        await self._post("keys", {"blocked": keys})

    async def correct(self, symbol: str, day: str, label: int | None, factor: float) -> None:
        """Change the volume of a past minute or day for good."""
        await self._post("correct", {"symbol": symbol, "day": day, "label": label, "factor": factor})

    async def _get(self, path: str, **query: Any) -> dict[str, Any]:
        async with self._session.get(f"/admin/{path}", params=query) as answer:
            answer.raise_for_status()
            body: dict[str, Any] = await answer.json()
            return body

    async def _post(self, path: str, body: Mapping[str, Any]) -> None:
        async with self._session.post(f"/admin/{path}", json=body) as answer:
            answer.raise_for_status()
