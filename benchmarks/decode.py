"""What decoding a minute page costs, against typed decoding alone and against the usual ways.

    python -m benchmarks.decode [--rounds 200]

The methods run interleaved; a ratio is the median of the ratios of single rounds.
"""

from __future__ import annotations

import argparse
import json
import random
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from statistics import median

import msgspec
import pandas as pd

from chartinsightd.adapters.kiwoom.wire import decode_chart
from chartinsightd.domain.timeframe import Timeframe

ROWS = 900
NEWEST = datetime(2026, 11, 20, 15, 19)  # noqa: DTZ001 - a KST wall time, only written down
LIST = "stk_min_pole_chart_qry"


class Row(msgspec.Struct, gc=False):
    """All fields of a minute row."""

    cur_prc: str
    trde_qty: str
    cntr_tm: str
    open_pric: str
    high_pric: str
    low_pric: str
    acc_trde_qty: str
    pred_pre: str
    pred_pre_sig: str


class Page(msgspec.Struct):
    """A minute page."""

    stk_min_pole_chart_qry: list[Row]


def page(bad_rows: int = 0) -> bytes:
    """Return a page of 900 rows, newest first, signed as the broker signs; some with a price that is none."""
    dice = random.Random(1)
    rows = []
    for number in range(ROWS):
        prices = [f"{dice.choice('+-')}{dice.randint(70_000, 79_999)}" for _ in range(4)]
        rows.append(
            {
                "cur_prc": "?" if number < bad_rows else prices[0],
                "trde_qty": str(dice.randint(1, 999_999)),
                "cntr_tm": f"{NEWEST - timedelta(minutes=number):%Y%m%d%H%M%S}",
                "open_pric": prices[1],
                "high_pric": prices[2],
                "low_pric": prices[3],
                "acc_trde_qty": str(20_000_000 - number),
                "pred_pre": "-600",
                "pred_pre_sig": "5",
            }
        )
    return json.dumps({"stk_cd": "005930", LIST: rows, "return_code": 0}).encode()


def with_pandas(document: bytes) -> pd.DataFrame:
    """Decode as the project this one replaces did."""
    frame = pd.DataFrame(json.loads(document)[LIST])
    for name in ("cur_prc", "open_pric", "high_pric", "low_pric", "trde_qty", "acc_trde_qty"):
        frame[name] = pd.to_numeric(frame[name]).abs()
    frame["cntr_tm"] = pd.to_datetime(frame["cntr_tm"], format="%Y%m%d%H%M%S")
    return frame.sort_values("cntr_tm")


def methods() -> dict[str, Callable[[], object]]:
    """Return what is compared, the limit first."""
    clean, odd = page(), page(bad_rows=1)
    typed = msgspec.json.Decoder(Page)
    return {
        "typed decode alone (limit)": lambda: typed.decode(clean),
        "decode_chart, clean page": lambda: decode_chart(clean, "005930", Timeframe.M5),
        "decode_chart, one bad row": lambda: decode_chart(odd, "005930", Timeframe.M5),
        "json.loads alone": lambda: json.loads(clean),
        "json + DataFrame": lambda: with_pandas(clean),
    }


def seconds(method: Callable[[], object]) -> float:
    """Return how long one call takes."""
    began_at = time.perf_counter()
    method()
    return time.perf_counter() - began_at


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rounds", type=int, default=200)
    rounds = parser.parse_args().rounds
    compared = methods()
    taken = [{name: seconds(method) for name, method in compared.items()} for _ in range(rounds)]
    limit = next(iter(compared))
    print(f"{'method':<28} {'ms a page':>10} {'x limit':>8}")
    for name in compared:
        ratio = median(one[name] / one[limit] for one in taken)
        print(f"{name:<28} {median(one[name] for one in taken) * 1000:>10.3f} {ratio:>8.2f}")


if __name__ == "__main__":
    main()
