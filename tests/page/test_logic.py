"""The page's logic without the page, under node."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from chartinsightd.analysis.analyser import Analysis
from chartinsightd.analysis.indicators.averages import sma
from chartinsightd.analysis.indicators.momentum import rsi
from tests.page.listener import Listener
from tests.page.market import Market, adjusted, market_of

LOGIC = Path(__file__).parent / "logic"
PREFIXES = 25


def _none_for_nan(column: Any) -> list[float | None]:
    return [None if np.isnan(value) else float(value) for value in column]


def _prefixes(market: Market) -> list[dict[str, Any]]:
    """Return the skeleton that the analyser had at several past candles."""
    final = [candle for candle in market.candles if candle.final]
    wanted = set(range(40, len(final), len(final) // PREFIXES))
    state, found = Analysis(), []
    for place, candle in enumerate(final):
        state.take(adjusted(candle))
        if place in wanted:
            pivots = [[pivot.ts, pivot.kind.value] for pivot in state.skeleton.pivots]
            found.append({"last": candle.ts, "skeleton": pivots})
    return found


@pytest.fixture(scope="module")
def market_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A market with what the analyser finds in it, as the listener answers it."""
    market, listener = market_of("000660", "1d"), Listener()
    pages = [listener.radar("000660", {"limit": "200"})]
    while cursor := pages[-1]["cursor"]:
        pages.append(listener.radar("000660", {"limit": "200", "cursor": cursor}))
    closes = np.array([float(candle.close) for candle in market.candles])
    facts = {
        "answer": listener.radar("000660", {}),
        "pages": pages,
        "prefixes": _prefixes(market),
        "indicators": {
            "closes": closes.tolist(),
            "sma": _none_for_nan(sma(closes, 20)),
            "rsi": _none_for_nan(rsi(closes, 14)),
        },
    }
    path = tmp_path_factory.mktemp("market") / "market.json"
    path.write_text(json.dumps(facts, ensure_ascii=False), encoding="utf-8")
    return path


def test_the_logic_of_the_page_under_node(market_file: Path) -> None:
    """Every rule of the page's logic holds (tests/page/logic)."""
    node = shutil.which("node")
    if node is None:
        pytest.skip("node is not installed: the page's logic is tested where it is")
    run = subprocess.run(
        [node, "--test", *sorted(map(str, LOGIC.glob("*.test.mjs")))],
        env={"PATH": str(Path(node).parent), "RADAR_MARKET": str(market_file)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert run.returncode == 0, run.stdout
