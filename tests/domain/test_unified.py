"""What both exchanges together should show, from what each shows."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from chartinsightd.domain.candle import Candles
from chartinsightd.domain.comparison import compare
from chartinsightd.domain.seal import SealState, verify_session
from chartinsightd.domain.timeframe import Timeframe
from chartinsightd.domain.unified import added_up
from tests.domain.test_seal import SESSION, STARTS, candles, witnesses

INSTANTS = st.lists(st.sampled_from(STARTS.tolist()), unique=True, max_size=12).map(sorted)


def together(krx: Candles, nxt: Candles, *, krx_opens: bool = True) -> Candles:
    """Add up candle by candle, as a broker would."""
    rows = []
    for ts in sorted({*krx.ts.tolist(), *nxt.ts.tolist()}):
        of = [part.where(part.ts == ts) for part in (krx, nxt)]
        of = [part for part in (of if krx_opens else of[::-1]) if len(part)]
        high, low = max(int(one.high[0]) for one in of), min(int(one.low[0]) for one in of)
        volume = sum(int(one.volume[0]) for one in of)
        rows.append((ts, int(of[0].open[0]), high, low, int(of[-1].close[0]), volume))
    columns = np.array(rows, dtype=np.int64).reshape(-1, 6).T
    names = ("open", "high", "low", "close", "volume")
    return candles(Timeframe.M5, columns[0], **dict(zip(names, columns[1:], strict=True)))


@given(of_krx=INSTANTS, of_nxt=INSTANTS, krx_opens=st.booleans())
def test_a_true_sum_agrees(of_krx: list[int], of_nxt: list[int], krx_opens: bool) -> None:
    """Whichever of the two opens and closes a candle."""
    krx, nxt = candles(Timeframe.M5, of_krx, seed=1), candles(Timeframe.M5, of_nxt, seed=2)
    unified = together(krx, nxt, krx_opens=krx_opens)
    assert not compare(added_up((krx, nxt), unified), unified).unequal


@given(of_krx=INSTANTS.filter(bool), of_nxt=INSTANTS, name=st.sampled_from(["volume", "high", "close"]))
def test_a_wrong_value_is_found(of_krx: list[int], of_nxt: list[int], name: str) -> None:
    """A share too many, a farther high, a close of nobody's: each is a difference."""
    krx, nxt = candles(Timeframe.M5, of_krx, seed=1), candles(Timeframe.M5, of_nxt, seed=2)
    unified = together(krx, nxt)
    wrong = replace(unified, **{name: getattr(unified, name) + 7_919})
    assert compare(added_up((krx, nxt), wrong), wrong).unequal == len(unified)


def test_a_session_that_is_not_the_sum_is_broken() -> None:
    """It is named with the candle and with what it was held against; the true sum is sealed."""
    krx, nxt = candles(Timeframe.M5, STARTS, seed=1), candles(Timeframe.M5, STARTS[:40], seed=2)
    unified = together(krx, nxt)
    right = replace(witnesses(unified), parts=(krx, nxt))
    assert verify_session(right).state is SealState.SEALED
    less = nxt.where(nxt.ts != STARTS[3])
    verdict = verify_session(replace(right, parts=(krx, less)))
    assert verdict.state is SealState.BROKEN
    assert verdict.evidence["differs"][0]["against"] == "KRX + NXT"
    assert verdict.evidence["suspects"] == ["5m"]
    assert right.session == SESSION
