"""What decoding a minute page costs, against typed decoding alone and against the usual ways.

    python -m benchmarks.decode [--rounds 300]

The methods run in turns, in a new order every round; a ratio is the median of the ratios of single rounds.
The usual ways come afterwards: pandas between two turns leaves the processor's caches to nobody else.
"""

from __future__ import annotations

import argparse
import json
import random
import time
from collections.abc import Callable, Mapping
from statistics import median

import msgspec
import pandas as pd

from benchmarks.pages import LIST, FullPage, document
from benchmarks.table import Table
from chartinsightd.adapters.kiwoom.wire import decode_chart
from chartinsightd.domain.timeframe import Timeframe

Method = Callable[[], object]


def with_pandas(page: bytes) -> pd.DataFrame:
    """Decode as the project this one replaces did."""
    frame = pd.DataFrame(json.loads(page)[LIST])
    for name in ("cur_prc", "open_pric", "high_pric", "low_pric", "trde_qty", "acc_trde_qty"):
        frame[name] = pd.to_numeric(frame[name]).abs()
    frame["cntr_tm"] = pd.to_datetime(frame["cntr_tm"], format="%Y%m%d%H%M%S")
    return frame.sort_values("cntr_tm")


def seconds(method: Method) -> float:
    """Return how long one call takes."""
    began_at = time.perf_counter()
    method()
    return time.perf_counter() - began_at


def ratios(limit: Method, methods: Mapping[str, Method], rounds: int) -> dict[str, tuple[float, float]]:
    """Return for each method its median seconds and its ratio to the limit."""
    named = {"limit": limit, **methods}
    taken = []
    for _ in range(rounds):
        order = random.sample(sorted(named), len(named))
        taken.append({name: seconds(named[name]) for name in order})
    return {
        name: (median(one[name] for one in taken), median(one[name] / one["limit"] for one in taken))
        for name in named
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rounds", type=int, default=300)
    rounds = parser.parse_args().rounds
    clean, odd = document(), document(bad_rows=1)
    typed = msgspec.json.Decoder(FullPage)
    table = Table("Decoding a page of 900 minute rows")

    def limit() -> object:
        return typed.decode(clean)

    ours = ratios(limit, {"ours": lambda: decode_chart(clean, "005930", Timeframe.M5)}, rounds)
    table.note("limit: typed decode alone", f"{ours['limit'][0] * 1000:.3f} ms")
    table.at_most("decode_chart / limit", ours["ours"][1], 2.3)
    table.at_most("decode_chart, event loop blocked (median)", ours["ours"][0] * 1000, 2, " ms")
    others = {
        "decode_chart of a page with one bad row": lambda: decode_chart(odd, "005930", Timeframe.M5),
        "json.loads alone": lambda: json.loads(clean),
        "json + DataFrame (original)": lambda: with_pandas(clean),
    }
    for name, (took_s, ratio) in ratios(limit, others, max(rounds // 5, 1)).items():
        if name != "limit":
            table.note(f"{name} / limit", f"{ratio:.2f}  ({took_s * 1000:.2f} ms)")
    table.show()


if __name__ == "__main__":
    main()
