"""The daily path of a generated issue: one bounded random walk from its listing into the future."""

from __future__ import annotations

from datetime import date
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chartinsightd.simulator.market import ticks
from chartinsightd.simulator.market.days import REFORM, changed_trading_days
from chartinsightd.simulator.market.draws import Floats, bells, key_of, uniforms
from chartinsightd.simulator.market.options import MarketOptions
from chartinsightd.simulator.market.rows import Daily
from chartinsightd.simulator.market.universe import Profile
from chartinsightd.simulator.model import Flags, Ints

_WANDER = float(np.log(5.0))
"""How far the logarithm of a price may wander from its centre."""

_LIMIT_DAY_CHANCE = 1 / 500
LEAST_BOARD = 60
"""Shares of the quietest day: enough for a row with four prices and an auction."""


def daily_path(profile: Profile, options: MarketOptions) -> Daily:
    """Return every daily row of an issue, from its listing to the end of the calendar or its delisting."""
    days = _listed_days(profile, changed_trading_days(options.closed_on, options.open_on))
    walk = _Walk(profile, days)
    prices = walk.prices()
    volumes = _volumes(profile, days, prices, options, walk.halted)
    daily = Daily(day=days, **prices, **volumes)
    return daily if options.halted_day_has_row else daily.where(~walk.halted)


def _listed_days(profile: Profile, days: Ints) -> Ints:
    until = profile.issue.delisted_on
    first = int(np.searchsorted(days, profile.issue.listed_on.toordinal()))
    last = len(days) if until is None else int(np.searchsorted(days, until.toordinal()))
    return days[first:last]


class _Walk:
    """The prices of one issue while they are being made."""

    def __init__(self, profile: Profile, days: Ints) -> None:
        self._profile, self._days, self._count = profile, days, len(days)
        self._percent = np.where(days >= ticks.WIDE_LIMITS.toordinal(), 30, 15)
        self._reform = int(np.searchsorted(days, ticks.REFORM.toordinal()))
        self._old = ticks.grid_on(profile.issue.market_code, date.min)
        self._new = ticks.grid_on(profile.issue.market_code, ticks.REFORM)
        self.halted = _within(days, profile.halts)

    def prices(self) -> dict[str, Ints]:
        """Return the columns of prices by name."""
        steps = self._bounded_steps()
        close, base = self._closes(steps)
        lower, upper = self._limits(base)
        opening = self._near(base, 0.3 * self._bells("open"), lower, upper)
        locked = (close == upper) & (uniforms(self._key("locked"), self._count) < 0.3)
        opening = np.where(locked, close, opening)
        body_high, body_low = np.maximum(opening, close), np.minimum(opening, close)
        high = self._near(body_high, 0.45 * np.abs(self._bells("high")), lower, upper)
        low = self._near(body_low, -0.45 * np.abs(self._bells("low")), lower, upper)
        low = np.where(locked, close, np.minimum(low, body_low))
        regular = {"open": opening, "high": np.maximum(high, body_high), "low": low, "close": close}
        flat = {name: np.where(self.halted, close, column) for name, column in regular.items()}
        return {"base": base, **flat, **self._after_market(close, lower, upper)}

    def _after_market(self, close: Ints, lower: Ints, upper: Ints) -> dict[str, Ints]:
        last = self._near(close, 0.2 * self._bells("after"), lower, upper)
        high = self._near(np.maximum(close, last), 0.1 * np.abs(self._bells("after high")), lower, upper)
        low = self._near(np.minimum(close, last), -0.1 * np.abs(self._bells("after low")), lower, upper)
        return {
            "after_open": close,
            "after_high": np.maximum(high, np.maximum(close, last)),
            "after_low": np.minimum(low, np.minimum(close, last)),
            "after_close": last,
        }

    def _key(self, purpose: str) -> int:
        return key_of(self._profile.key, purpose)

    def _bells(self, purpose: str) -> Floats:
        return bells(self._key(purpose), self._count)

    def _bounded_steps(self) -> Floats:
        """Return the logarithms of the price, relative to its centre."""
        calm = self._profile.sigma * self._bells("return")
        wild = 1 + 2 * (uniforms(self._key("wild"), self._count) < 0.03)
        steps = np.clip(calm * wild, -0.1, 0.1)
        shock = uniforms(self._key("shock"), self._count)
        percent = self._percent / 100
        steps = np.where(shock < _LIMIT_DAY_CHANCE, np.log(1 + percent), steps)
        steps = np.where(shock > 1 - _LIMIT_DAY_CHANCE, np.log(1 - percent), steps)
        steps[self.halted] = 0.0
        steps[0] = (2 * uniforms(self._key("start"), 1)[0] - 1) * _WANDER
        walk = np.cumsum(steps)
        bounded: Floats = _WANDER - np.abs((walk + _WANDER) % (4 * _WANDER) - 2 * _WANDER)
        return bounded

    def _scale(self) -> Floats:
        """Return the won of the centre on each day: every action moves it to its new level."""
        scale = np.full(self._count, self._profile.centre)
        for action in self._profile.actions:
            scale[self._days < action.ex_date.toordinal()] /= action.price_factor
        return scale

    def _closes(self, levels: Floats) -> tuple[Ints, Ints]:
        """Return the closes and the base prices, with limit days exactly at the limit."""
        close = self._on_grid(self._scale() * np.exp(levels))
        moves = np.diff(levels, prepend=levels[0])
        percent = self._percent / 100
        up, down = moves > 0.99 * np.log(1 + percent), moves < 0.99 * np.log(1 - percent)
        for at in np.flatnonzero(up | down).tolist():
            base = self._bases(close[at - 1 : at + 1], at)
            lower, upper = self._limits(base, slice(at, at + 1))
            close[at] = upper[0] if up[at] else lower[0]
        traded = np.maximum.accumulate(np.where(self.halted, 0, np.arange(self._count)))
        close = close[traded]
        base = np.concatenate([close[:1], close[:-1]])
        for at in self._action_days():
            base[at] = self._bases(close[at - 1 : at + 1], at)[0]
        return close, base

    def _action_days(self) -> dict[int, float]:
        """Return where actions take effect, and their price factors."""
        found: dict[int, float] = {}
        for action in self._profile.actions:
            at = int(np.searchsorted(self._days, action.ex_date.toordinal()))
            if 0 < at < self._count:
                found[at] = action.price_factor
        return found

    def _bases(self, pair: Ints, at: int) -> Ints:
        """Return the base price of one day from the close before it."""
        factor = self._action_days().get(at, 1.0)
        # A little more, because 0.2 times a price may come out just below the grid price that it means.
        return self._on_grid(pair[:1] * factor + 1e-6, slice(at, at + 1))

    def _on_grid(self, prices: NDArray[Any], part: slice | None = None) -> Ints:
        """Return prices brought down to the grid of their days."""
        start = 0 if part is None else part.start
        cut = max(0, self._reform - start)
        return np.concatenate([self._old.floor(prices[:cut]), self._new.floor(prices[cut:])])

    def _limits(self, base: Ints, part: slice | None = None) -> tuple[Ints, Ints]:
        start = 0 if part is None else part.start
        percent = self._percent[start : start + len(base)]
        cut = max(0, self._reform - start)
        old = ticks.limits(base[:cut], percent[:cut], self._old)
        new = ticks.limits(base[cut:], percent[cut:], self._new)
        return np.concatenate([old[0], new[0]]), np.concatenate([old[1], new[1]])

    def _near(self, around: Ints, sigmas: Floats, lower: Ints, upper: Ints) -> Ints:
        """Return grid prices some deviations away, inside the limits."""
        moved = self._on_grid(around * np.exp(np.clip(self._profile.sigma * sigmas, -0.1, 0.1)))
        return np.clip(moved, lower, upper)


def _within(days: Ints, spans: tuple[tuple[int, int], ...]) -> Flags:
    """Return which days lie in one of the spans; the first day never does, it has to have a price."""
    inside = np.zeros(len(days), dtype=np.bool_)
    for first, last in spans:
        inside |= (days >= first) & (days <= last)
    inside[:1] = False
    return inside


def _volumes(
    profile: Profile, days: Ints, prices: dict[str, Ints], options: MarketOptions, halted: Flags
) -> dict[str, Ints]:
    """Return the columns of shares and won by name; a halted day has zeros."""

    def draw(purpose: str) -> Floats:
        return uniforms(key_of(profile.key, purpose), len(days))

    reformed = days >= REFORM.toordinal()
    close = prices["close"]
    busy = np.exp(
        0.5 * bells(key_of(profile.key, "busy"), len(days)) + 6 * np.abs(close / prices["base"] - 1)
    )
    board = np.maximum((profile.turnover * busy / close).astype(np.int64), LEAST_BOARD)
    after = np.maximum((board * (0.02 + 0.08 * draw("after volume"))).astype(np.int64), LEAST_BOARD)
    after = np.where(reformed & (profile.issue.market_code != "8"), after, 0)
    late = 1 + (board * 2e-4 * draw("late")).astype(np.int64)
    late = np.where(reformed & (not options.late_print_since_reform), 0, late)
    off_book = (board * (0.002 + 0.03 * draw("off book") ** 2)).astype(np.int64)
    board, after, late, off_book = (np.where(halted, 0, shares) for shares in (board, after, late, off_book))
    value = board * _middle(prices, "") + after * _middle(prices, "after_")
    return {
        "board": board,
        "after": after,
        "late": late,
        "volume": board + after + late + off_book,
        "value": value.astype(np.int64) + (late + off_book) * close,
    }


def _middle(prices: dict[str, Ints], kind: str) -> Floats:
    """Return the price at which most shares changed hands, in won."""
    return sum((prices[f"{kind}{name}"] for name in ("open", "high", "low", "close")), np.zeros(1)) / 4
