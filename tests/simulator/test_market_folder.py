"""The market from a folder: other people's files, and the real ones where they are at hand."""

from __future__ import annotations

import gzip
from datetime import date, datetime, timedelta
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from chartinsightd.facts.krx import KST
from chartinsightd.simulator.market import FolderRefused, MarketOptions, SimulatedMarket, create_from_folder
from chartinsightd.simulator.model import Period

REAL = Path(__file__).resolve().parents[2].parent / "shared" / "data"
needs_real_data = pytest.mark.skipif(not REAL.is_dir(), reason="no real candles at ../shared/data")

DAILY = """code,date,open,high,low,close,volume,value,basis,source
123450,2026-03-03,1000,1100,990,1050,900,,adj@2026-07,other
123450,2026-03-02,980,1000,970,990,500,490000,raw,mine
123450,2026-03-03,1000,1100,990,1050,1000,1040000,raw,mine
123450,2026-03-04,0,0,0,1050,0,0,raw,mine
"""
MINUTES = """code,date,label,open,high,low,close,volume,cum_value
123450,2026-03-03,09:00,1000,1010,990,1005,300,300000
123450,2026-03-03,09:07,1005,1100,1005,1040,200,510000
123450,2026-03-03,15:20,1040,1040,1040,1040,0,510000
123450,2026-03-03,15:30,1050,1050,1050,1050,400,930000
0126Z0,2026-03-03,09:00,5000,5000,5000,5000,7,35000
"""
BY_END = """code,date,label,open,high,low,close,volume
123450,2026-03-05,09:01,1000,1010,990,1005,300
123450,2026-03-05,15:20,1005,1005,1005,1005,10
123450,2026-03-05,15:30,1010,1010,1010,1010,50
"""
STOCKS = """Code,ISU_CD,Name,Market,Stocks,ListingDate
123450,KR7,한빛전자,KOSDAQ,1000000,2001-05-02
999990,KR7,없는것,KOSPI,1000000,2001-05-02
"""


def at(day: date, hour: int, minute: int = 0, second: int = 0) -> datetime:
    return datetime(day.year, day.month, day.day, hour, minute, second, tzinfo=KST)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "anything.csv").write_text(DAILY, encoding="utf-8")
    with gzip.open(tmp_path / "minutes.csv.gz", "wt", encoding="utf-8") as text:
        text.write(MINUTES)
    (tmp_path / "by_end.csv").write_text(BY_END, encoding="utf-8")
    (tmp_path / "list.csv").write_text(STOCKS, encoding="utf-8")
    (tmp_path / "notes.csv").write_text("who,what\nme,nothing\n", encoding="utf-8")
    return tmp_path


DAY = date(2026, 3, 3)
LATER = at(date(2026, 3, 10), 12)


def test_symbols_are_those_with_candles(folder: Path) -> None:
    """A code with candles is an issue, named by the stock list where possible; others of the list are not."""
    issues = create_from_folder(folder).issues(LATER)
    assert [(issue.code, issue.name, issue.market_code) for issue in issues] == [
        ("0126Z0", "0126Z0", "0"),
        ("123450", "한빛전자", "10"),
    ]


def test_one_daily_source_is_chosen_raw_first(folder: Path) -> None:
    """Rows come from the raw source alone; a halted day of zeros becomes flat; options can name another."""
    market = create_from_folder(folder)
    daily = market.periods("123450", Period.DAY, LATER, None)
    assert daily.day.tolist() == [20260302, 20260303, 20260304, 20260305]
    assert daily.volume.tolist() == [500, 1000, 0, 360]
    assert daily.open.tolist() == [980, 1000, 1050, 1000]

    other = create_from_folder(folder, MarketOptions(daily_source="other"))
    assert other.periods("123450", Period.DAY, LATER, None).volume.tolist() == [900, 360]


def test_minutes_fold_and_empty_ones_are_absent(folder: Path) -> None:
    """Real minutes are served in every scope; a minute without volume has no row."""
    market = create_from_folder(folder)
    ones, fives = (market.minutes("123450", DAY, scope, LATER) for scope in (1, 5))
    assert ones is not None
    assert fives is not None
    assert ones.label.tolist() == [540, 547, 930]
    assert fives.label.tolist() == [540, 545, 930]
    assert ones.running.tolist() == [300, 500, 900]
    assert ones.previous_close == 990
    assert ones.settled
    assert market.minute_days("123450", LATER) == [date(2026, 3, 5), DAY]


def test_labels_by_end_become_labels_by_start(folder: Path) -> None:
    """09:01 by its end is 09:00 by its start; the closing auction stays at the close."""
    rows = create_from_folder(folder).minutes("123450", date(2026, 3, 5), 1, LATER)
    assert rows is not None
    assert rows.label.tolist() == [540, 919, 930]


def test_the_day_forms_from_its_minutes(folder: Path) -> None:
    """During the day the row is the fold of the minutes so far; at 18:00 it is the file's."""
    market = create_from_folder(folder)

    def today(hour: int, minute: int) -> tuple[int, ...]:
        rows = market.periods("123450", Period.DAY, at(DAY, hour, minute), None)
        return tuple(int(column[-1]) for column in (rows.day, rows.high, rows.close, rows.volume, rows.final))

    assert today(8, 59)[0] == 20260302
    assert today(9, 3) == (20260303, 1010, 1005, 300, 0)
    assert today(15, 31) == (20260303, 1100, 1050, 900, 0)
    assert today(18, 0) == (20260303, 1100, 1050, 1000, 1)


def test_a_late_row_in_the_files_appears_overnight(folder: Path) -> None:
    """15:35 at the closing price is the late print, as the broker serves it; shares add up either way."""
    (folder / "more.csv").write_text(
        "code,date,label,open,high,low,close,volume,cum_value\n"
        "777770,2026-03-03,15:30,1050,1050,1050,1050,400,420000\n"
        "777770,2026-03-03,15:35,1050,1050,1050,1050,4,424200\n",
        encoding="utf-8",
    )
    market = create_from_folder(folder)
    evening, morning = (market.minutes("777770", DAY, 1, now) for now in (at(DAY, 23), LATER))
    assert evening is not None
    assert morning is not None
    assert (evening.label.tolist(), morning.label.tolist()) == ([930], [930, 935])
    days = [market.periods("777770", Period.DAY, now, None) for now in (at(DAY, 23), LATER)]
    assert [(int(d.volume[-1]), int(d.value[-1]), bool(d.final[-1])) for d in days] == [
        (400, 420_000, False),
        (404, 424_200, True),
    ]
    assert market.correct("777770", DAY, 935, 2.0)
    assert market.periods("777770", Period.DAY, LATER, None).volume.tolist() == [408]


def test_trades_fold_into_real_minutes(folder: Path) -> None:
    """The prints of a day have its prices and shares."""
    trades = create_from_folder(folder).trades("123450", at(DAY, 0), at(DAY, 23))
    assert sum(abs(trade.volume) for trade in trades) == 900
    assert {trade.price for trade in trades} <= {1000, 1010, 990, 1005, 1100, 1040, 1050}
    assert trades[-1].running_volume == 900
    assert trades[-1].running_value == 930_000


def test_a_folder_without_candles_says_what_it_should_hold(tmp_path: Path) -> None:
    """No folder, nothing recognised, a damaged row: each names the place and the columns."""
    with pytest.raises(FolderRefused, match=r"is not a folder.*code,date,open"):
        create_from_folder(tmp_path / "none")
    (tmp_path / "notes.csv").write_text("a,b\n1,2\n", encoding="utf-8")
    with pytest.raises(FolderRefused, match=r"no candles.*code,date,label"):
        create_from_folder(tmp_path)
    (tmp_path / "minutes.csv").write_text(MINUTES.replace("1005,300,", "x,300,"), encoding="utf-8")
    with pytest.raises(FolderRefused, match=r"minutes\.csv.*'x'.*cum_value"):
        create_from_folder(tmp_path)
    (tmp_path / "minutes.csv").write_text(MINUTES.replace("09:07", "09:00"), encoding="utf-8")
    with pytest.raises(FolderRefused, match="comes twice"):
        create_from_folder(tmp_path)


@cache
def real_market() -> SimulatedMarket:
    return create_from_folder(REAL)


@needs_real_data
def test_real_minutes_agree_with_real_days() -> None:
    """On a complete day minutes fold into the daily row; every scope adds up to the same shares."""
    market, day, compared = real_market(), date(2025, 10, 16), 0
    later = at(day, 12) + timedelta(days=3)
    for issue in market.issues(later):
        rows = market.minutes(issue.code, day, 1, later)
        if rows is None:
            continue
        compared += 1
        daily = market.periods(issue.code, Period.DAY, later, None)
        i = daily.day.tolist().index(20251016)
        figures = (daily.open[i], daily.high[i], daily.low[i], daily.close[i])
        assert figures == (rows.open[0], rows.high.max(), rows.low.min(), rows.close[-1])
        assert rows.volume.sum() <= daily.volume[i]
        for scope in (5, 30, 60):
            folded = market.minutes(issue.code, day, scope, later)
            assert folded is not None
            assert folded.volume.sum() == rows.volume.sum()
    assert compared >= 9


@needs_real_data
def test_real_special_days_and_end_labels() -> None:
    """The late opening, the exam day and the days of 2018 are served as the files have them."""
    market = real_market()

    def labels(code: str, day: date) -> list[int]:
        rows = market.minutes(code, day, 1, at(day, 12) + timedelta(days=1))
        assert rows is not None
        return [int(label) for label in rows.label]

    codes = [i.code for i in market.issues(LATER) if market.minute_days(i.code, at(date(2026, 1, 2), 20))]
    late = [
        code for code in codes if market.minute_days(code, at(date(2026, 1, 2), 20))[0] == date(2026, 1, 2)
    ]
    exam = [
        code for code in codes if date(2025, 11, 13) in market.minute_days(code, at(date(2026, 1, 2), 20))
    ]
    assert {labels(code, date(2026, 1, 2))[-1] for code in late} == {930}
    assert min(labels(code, date(2026, 1, 2))[0] for code in late) == 600
    assert min(labels(code, date(2025, 11, 13))[0] for code in exam) == 600
    assert max(labels(code, date(2025, 11, 13))[-1] for code in exam) == 979
    creon = labels("005930", date(2018, 1, 18))
    assert (creon[0], creon[-2], creon[-1], len(creon)) == (540, 919, 930, 381)


@needs_real_data
def test_real_trades_fold_into_real_minutes() -> None:
    """The prints made for real minutes have exactly their prices and shares, for every row of a day."""
    market, day = real_market(), date(2025, 9, 1)
    later = at(day, 12) + timedelta(days=1)
    for issue in market.issues(later)[:25]:
        rows = market.minutes(issue.code, day, 1, later)
        if rows is None:
            continue
        trades = market.trades(issue.code, at(day, 0), at(day, 23))
        label = np.array([trade.at.hour * 60 + trade.at.minute for trade in trades])
        price, volume = (np.array([getattr(trade, name) for trade in trades]) for name in ("price", "volume"))
        starts = np.searchsorted(label, rows.label)
        assert np.maximum.reduceat(price, starts).tolist() == rows.high.tolist()
        assert np.minimum.reduceat(price, starts).tolist() == rows.low.tolist()
        assert np.add.reduceat(np.abs(volume), starts).tolist() == rows.volume.tolist()
        assert price[starts].tolist() == rows.open.tolist()
        assert price[[*starts[1:] - 1, -1]].tolist() == rows.close.tolist()
