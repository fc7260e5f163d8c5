"""Candles for a notebook are what the store holds, on a real PostgreSQL."""

from __future__ import annotations

import importlib.util
import json
import re
import subprocess
import sys
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from pathlib import Path

import pandas as pd
import pytest

from chartinsightd.adapters.postgres.store import Store, open_store
from chartinsightd.clock import SystemClock
from chartinsightd.domain.calendar import Calendar
from chartinsightd.domain.candle import Candles
from chartinsightd.domain.ranges import EMPTY
from chartinsightd.domain.timeframe import Timeframe
from chartinsightd.domain.write import Write
from chartinsightd.ports.broker import ListedStock
from chartinsightd.reader import NotFound, patterns, points, read, read_arrow, read_many, screen
from tests.adapters.postgres.model import page
from tests.domain.made_up_charts import split, walk, weekly
from tests.support.postgres import connected

NOW = datetime(2026, 11, 20, 8, 0, tzinfo=UTC)
DAYS = [session.day for session in Calendar().sessions(date(2026, 9, 14), date(2026, 11, 20))]
ACTIONS = [split(date(2026, 10, 21), Fraction(1, 3)), split(date(2026, 11, 2), Fraction(20, 21))]
RAW = walk(8, DAYS, 50_000)


@pytest.fixture
def place(database: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """The settings of this process name the test's database."""
    monkeypatch.setenv("CHARTINSIGHT_DATABASE__DSN", database)
    monkeypatch.setenv("CHARTINSIGHT_MODE", "simulation")
    return database


@pytest.fixture
async def filled(store: Store, place: str) -> str:
    """A stock with days, weeks, minutes and two corporate actions."""
    stock = ListedStock(
        symbol="005930",
        name="삼성전자",
        market="KOSPI",
        listed_shares=1,
        last_price=1,
        state="",
        order_warning="0",
        nxt_enabled=False,
        listed_on=None,
    )
    await store.stocks.save_stocks([stock], frozenset({"005930"}), NOW)
    for candles in (RAW, weekly(RAW), page("005930", at=range(20))):
        await save(store, candles)
    await store.actions.put_actions("005930", ACTIONS, NOW)
    return place


async def save(store: Store, candles: Candles) -> None:
    """Store candles without coverage."""
    await store.candles.save([Write(candles=candles, covered=EMPTY)])


async def test_adjusted_frames_are_the_view_to_the_won(filled: str) -> None:
    """Days and weeks agree with `candles_adjusted` in every price; weeks with an ex-date too."""
    for timeframe in ("1d", "1w"):
        frame = read("005930", timeframe)
        async with connected(filled) as connection:
            rows = await connection.fetch(
                "select ts, open, high, low, close, volume from candles_adjusted "
                "where symbol = '005930' and timeframe = $1 order by ts",
                timeframe,
            )
        view = pd.DataFrame([dict(row) for row in rows]).set_index("ts").tz_convert("Asia/Seoul")
        for name in ("open", "high", "low", "close", "volume"):
            assert frame[name].tolist() == view[name].tolist(), (timeframe, name)
        assert frame.index.tolist() == view.index.tolist()


def test_a_frame_has_the_types_that_it_promises(filled: str) -> None:
    """Prices are int64, the index is Korean time, days have their date, minutes have no value."""
    del filled
    days, minutes = read("005930", "1d", adjusted=False), read("005930", "5m")
    assert {str(days[name].dtype) for name in ("open", "high", "low", "close", "volume")} == {"int64"}
    assert (str(days["value"].dtype), str(days["final"].dtype)) == ("Int64", "bool")
    assert str(days.index.tz) == "Asia/Seoul"
    assert days["day"].tolist() == DAYS
    assert days["close"].tolist() == RAW.close.tolist()
    assert minutes["value"].isna().all()
    assert "day" not in minutes


FOUND = """
insert into analysis_state (symbol, timeframe, analyser, state, analysed_at) values
    ('005930', '1d', 'old', 'done', '2026-11-01 00:00Z'),
    ('005930', '1d', 'new', 'done', '2026-11-19 00:00Z');
insert into points
select '005930', '1d', ts, kind, grade, price, confirmed, 'reversal', analyser, 'd', 1, now()
from (values
    ('2026-10-05 15:00Z'::timestamptz, 'peak', 'primary', 51000, '2026-10-08 06:30Z'::timestamptz, 'new'),
    ('2026-10-12 15:00Z', 'valley', 'secondary', 49000, '2026-10-14 06:30Z', 'new'),
    ('2026-10-12 15:00Z', 'valley', 'primary', 48000, '2026-10-14 06:30Z', 'old')
) as p (ts, kind, grade, price, confirmed, analyser);
insert into pattern_events values (
    'p1', '005930', '1d', 'double_top', 'forming', '2026-10-12 15:00Z', '2026-10-13 06:30Z',
    '[{"role": "first", "price": 51000}]', '{"neckline": {"price": 49500}}', '{}', 'new', 'd', 1, now()
);
insert into screen_runs (name, version, session, code_id, data_id, counts, created_at) values
    ('오름', 1, '2026-11-18', 'c', 'd', '{}', now()),
    ('오름', 1, '2026-11-19', 'c', 'd', '{}', now());
insert into screen_matches
select max(id), '005930', 2.5, '{"trend_up": {}}', '2026-11-18 15:00Z', true from screen_runs;
"""


async def test_what_the_analysis_found_comes_as_frames(filled: str) -> None:
    """Points of the newest rules, pattern states and matches come as frames, and none of after `until`."""
    async with connected(filled) as connection:
        await connection.execute(FOUND)
    found = points("삼성전자")
    assert found[["kind", "price"]].values.tolist() == [["peak", 51000], ["valley", 49000]]
    assert str(found["confirmed_at"].dt.tz) == "Asia/Seoul"
    assert points("005930", until="2026-10-08")["kind"].tolist() == ["peak"]
    assert points("005930", until="2026-10-07").empty
    [state] = patterns("005930").to_dict("records")
    assert (state["state"], state["levels"]["neckline"]["price"]) == ("forming", 49500)
    assert state["points"][0]["role"] == "first"
    [match] = screen("오름").to_dict("records")
    assert (match["symbol"], match["name"], match["score"]) == ("005930", "삼성전자", 2.5)
    assert match["is_new"]
    assert screen("오름", "2026-11-18").empty
    with pytest.raises(NotFound, match="내림"):
        screen("내림")
    with pytest.raises(NotFound, match="달나라전자"):
        points("달나라전자")


def test_an_arrow_table_holds_what_the_frames_hold(filled: str) -> None:
    """The table of many stocks has their frames' rows, one stock after the other; an absent value is null."""
    del filled
    pytest.importorskip("pyarrow", reason="pyarrow is not installed (the extra `arrow`)")
    words = ["삼성전자", "005930"]
    for timeframe in ("1d", "5m"):
        table, frames = read_arrow(words, timeframe), read_many(words, timeframe)
        assert table["symbol"].to_pylist() == [word for word in words for _ in range(len(frames[word]))]
        assert str(table.schema.field("ts").type) == "timestamp[s, tz=Asia/Seoul]"
        for name in ("open", "high", "low", "close", "volume", "value", "final"):
            wanted = [None if pd.isna(one) else one for word in words for one in frames[word][name]]
            assert table[name].to_pylist() == wanted, (timeframe, name)
    assert read_arrow([], "1d").num_rows == 0


def test_arrow_without_pyarrow_says_what_to_install(filled: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where pyarrow is not installed, the error names the extra."""
    del filled
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(NotFound, match="arrow"):
        read_arrow(["005930"], "1d")


def test_the_notebook_page_runs(filled: str) -> None:
    """The page's lines of Python run one after the other against a store, up to those that ask a command."""
    del filled
    page_text = (Path(__file__).resolve().parents[2] / "docs" / "notebook.md").read_text(encoding="utf-8")
    names: dict[str, object] = {}
    for source in re.findall(r"^```python\n(.*?)^```", page_text, re.MULTILINE | re.DOTALL):
        if "subprocess" in source:
            continue
        if "read_arrow" in source and importlib.util.find_spec("pyarrow") is None:
            continue
        exec(compile(source.replace('"000660"', '"삼성전자"'), "notebook.md", "exec"), names)
    assert isinstance(names["later"], pd.Series)


def test_a_stock_is_found_by_its_name_and_days_are_korean(filled: str) -> None:
    """The Korean name is as good as the code; the last day of a range is included."""
    del filled
    found = read("삼성전자", "1d", "2026-10-05", date(2026, 10, 8))
    assert found["day"].tolist() == [day for day in DAYS if date(2026, 10, 5) <= day <= date(2026, 10, 8)]
    assert list(read_many(["삼성전자", "005930"], "1d")) == ["삼성전자", "005930"]


def test_what_is_not_there_is_said(filled: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """An unknown stock, an unknown timeframe and a store that cannot be found are errors with a remedy."""
    del filled
    with pytest.raises(NotFound, match="달나라전자"):
        read("달나라전자", "1d")
    with pytest.raises(ValueError, match="no timeframe"):
        read("005930", "2d")
    monkeypatch.delenv("CHARTINSIGHT_DATABASE__DSN")
    monkeypatch.setenv("CHARTINSIGHT_STATE_DIR", str(tmp_path))
    monkeypatch.setenv("CHARTINSIGHT_CONFIG", str(tmp_path / "config.toml"))
    (tmp_path / "config.toml").write_text("")
    with pytest.raises(NotFound, match="Start chartinsightd"):
        read("005930", "1d")


def test_an_embedded_database_is_found_by_the_daemons_file(
    filled: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The running daemon says in its state folder where its database is."""
    monkeypatch.delenv("CHARTINSIGHT_DATABASE__DSN")
    monkeypatch.setenv("CHARTINSIGHT_STATE_DIR", str(tmp_path))
    (tmp_path / "simulation").mkdir()
    (tmp_path / "simulation" / "daemon.json").write_text(json.dumps({"pid": 1, "database": filled}))
    assert len(read("005930", "1d")) == len(DAYS)


async def test_as_of_undoes_what_came_later(store: Store, place: str) -> None:
    """A candle that became final later is left out, a later revision and a later action are undone."""
    del place
    early = page("005930", Timeframe.M5, at=range(10))
    stock = ListedStock(
        symbol="005930",
        name="삼성전자",
        market="KOSPI",
        listed_shares=1,
        last_price=1,
        state="",
        order_warning="0",
        nxt_enabled=False,
        listed_on=None,
    )
    await store.stocks.save_stocks([stock], frozenset(), NOW)
    await save(store, early)
    between = datetime.now(UTC)
    await save(store, page("005930", Timeframe.M5, at=range(12), close=[70_001] * 12))
    await store.actions.put_actions("005930", [split(date(2099, 1, 1), Fraction(1, 2))], datetime.now(UTC))

    then, now = read("005930", "5m", as_of=between), read("005930", "5m")

    assert then["close"].tolist() == early.close.tolist()
    assert now["close"].tolist() == [35_001] * 12
    assert (datetime.now(UTC) - between) < timedelta(minutes=1)


def test_nothing_else_of_the_daemon_is_imported() -> None:
    """A notebook pays for the reader alone."""
    script = (
        "import sys, chartinsightd.reader; print(*(name for name in sys.modules if 'chartinsight' in name))"
    )
    result = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    strangers = [name for name in result.stdout.split() if not name.startswith("chartinsightd.reader")]
    assert strangers == ["chartinsightd"]


async def test_a_venue_is_read_with_the_ledger_of_krx(filled: str) -> None:
    """Its candles, adjusted by the splits that were found at KRX; one that is not kept is said to be so."""
    with pytest.raises(NotFound, match="NXT is not kept"):
        read("005930", "1d", venue="nxt")
    with pytest.raises(ValueError, match="NYSE"):
        read("005930", "1d", venue="NYSE")
    async with open_store(filled, "simulation_nxt", SystemClock(), ledger_in="simulation") as nxt:
        await save(nxt, RAW.where(RAW.ts >= RAW.ts[5]))
    frame, krx = read("삼성전자", "1d", venue="NXT"), read("005930", "1d")
    assert frame["close"].tolist() == krx["close"].tolist()[5:]
    assert read("005930", "5m", venue="NXT").empty
