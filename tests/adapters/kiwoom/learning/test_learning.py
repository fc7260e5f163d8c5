"""`check --learn`: every reading of every unknown is found, within the limits, and used safely."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import hypothesis
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chartinsightd.adapters.folder_lock import held
from chartinsightd.adapters.kiwoom.learning import requests, stream
from chartinsightd.adapters.kiwoom.learning.requests import RequestQuestions
from chartinsightd.adapters.kiwoom.session import open_kiwoom
from chartinsightd.app.broker import accesses
from chartinsightd.app.learning import FILE, learn, with_learned
from chartinsightd.app.opening import open_clock
from chartinsightd.clock import SimulatedClock
from chartinsightd.domain.errors import StoreOwned
from chartinsightd.domain.learned import (
    Answer,
    Learned,
    LearnedRefused,
    Question,
    learned_text,
    parse_learned,
)
from chartinsightd.facts.krx import KST
from chartinsightd.settings.model import Settings, state_file
from chartinsightd.simulator.clock import VirtualClock
from chartinsightd.simulator.market import MarketOptions, create_generated
from chartinsightd.simulator.server import open_server
from chartinsightd.simulator.settings import DEFAULT_APP_KEY, DEFAULT_SECRET_KEY, Profile
from chartinsightd.simulator.simulation import Simulation

NOW = datetime(2026, 11, 20, 10, 0, tzinfo=KST)
SPEED = 20.0
HOST = "https://api.kiwoom.com"
CLOCK = SimulatedClock(NOW, 1.0)
USUAL: Mapping[Question, Answer] = {
    Question.PACE: 5,
    Question.MINUTE_PAGE: 900,
    Question.DAY_PAGE: 600,
    Question.WEEK_PAGE: 300,
    Question.AFTER_MARKET: False,
    Question.LATE_PRINT: True,
    Question.HALTED_DAY: True,
    Question.WEEK_LABEL: False,
    Question.ADJUSTED_MINUTES: False,
    Question.EMPTY_PAGE: False,
    Question.BAD_KEY: "first_page",
    Question.BATCH_STATUS: 200,
    Question.DATE: "now",
    Question.SECOND_TOKEN: "same",
    Question.SECOND_LOGIN: "close_first",
    Question.PING_PERIOD: 1.0,
    Question.CODES_PER_GROUP: 100,
    Question.CODES_PER_CONNECTION: 110,
}
OTHER: Mapping[Question, Answer] = {
    Question.PACE: 5,
    Question.MINUTE_PAGE: 800,
    Question.DAY_PAGE: 500,
    Question.WEEK_PAGE: 240,
    Question.AFTER_MARKET: True,
    Question.LATE_PRINT: False,
    Question.HALTED_DAY: False,
    Question.WEEK_LABEL: True,
    Question.ADJUSTED_MINUTES: True,
    Question.EMPTY_PAGE: True,
    Question.BAD_KEY: "blank",
    Question.BATCH_STATUS: 429,
    Question.DATE: "absent",
    Question.SECOND_TOKEN: "rotate",
    Question.SECOND_LOGIN: "allow",
    Question.PING_PERIOD: 1.5,
    Question.CODES_PER_GROUP: 50,
    Question.CODES_PER_CONNECTION: 70,
}
NAMES_OF_MARKET = frozenset(MarketOptions.__dataclass_fields__)


@asynccontextmanager
async def simulator(
    readings: Mapping[Question, Answer], speed: float = SPEED
) -> AsyncIterator[tuple[Simulation, dict[str, Any]]]:
    """Play some readings; yield the simulator and the settings that lead to it."""
    switches = {str(question): answer for question, answer in readings.items()}
    of_market = {name: switches.pop(name) for name in NAMES_OF_MARKET & switches.keys()}
    options = MarketOptions(print_won=50_000_000, **of_market)  # type: ignore[arg-type]
    market = create_generated(7, 118, options)
    clock = VirtualClock(start=NOW, speed=speed)
    profile = Profile(**switches)  # type: ignore[arg-type]
    simulation = Simulation.of(profile, clock, market)
    async with open_server(simulation, "127.0.0.1", 0) as address:
        kiwoom = {
            "base_url": address.url,
            "websocket_url": address.websocket_url,
            "app_key": DEFAULT_APP_KEY,
            "secret_key": DEFAULT_SECRET_KEY,
        }
        yield simulation, kiwoom


def settings_for(folder: Path, kiwoom: Mapping[str, Any]) -> Settings:
    """Return settings of a simulation in a folder."""
    return Settings(mode="simulation", state_dir=folder, kiwoom=kiwoom, clock={"follow": True})


@pytest.mark.parametrize("readings", [USUAL, OTHER], ids=["usual", "other"])
async def test_every_reading_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, readings: Mapping[Question, Answer]
) -> None:
    """Whatever the broker does where no source knows, the answers say it, in the file too."""
    monkeypatch.setattr(stream, "_TAKE_OVER_S", 0.3)
    async with simulator(readings) as (simulation, kiwoom):
        settings = settings_for(tmp_path, kiwoom)
        found = {finding.question: finding.answer async for finding in learn(settings)}
        arrivals = simulation.monitor.arrivals
    period_s = found[Question.PING_PERIOD]  # in real time, and so as even as the machine
    assert isinstance(period_s, float)
    assert period_s > 0.5 * float(readings[Question.PING_PERIOD])
    assert found == {**readings, Question.PING_PERIOD: period_s}
    assert found.keys() == set(Question)
    if readings[Question.PACE] == settings.kiwoom.pace:  # else the broker allows less than it is known to
        assert sum(one.violations + one.refusals for one in arrivals.values()) == 0
    text = state_file(settings, FILE).read_text(encoding="utf-8")
    assert parse_learned(text, host=kiwoom["base_url"], now=NOW + timedelta(hours=9)).answers == found


async def test_a_slower_broker_is_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where requests are refused for the pace, the answer is the pace that is taken."""
    monkeypatch.setattr(requests, "_SECONDS_OF_PACE", 1)
    async with simulator({Question.PACE: 1}, speed=5.0) as (_, kiwoom):
        settings = settings_for(tmp_path, kiwoom)
        clock, [own] = await open_clock(settings), accesses(settings).values()
        async with open_kiwoom(own, clock, settings.kiwoom.pace, "proved") as session:
            questions = RequestQuestions(
                transport=session.transport,
                issuer=session.issuer,
                gate=session.gate,
                clock=clock,
                symbols=["005930"],
            )
            await questions._batch_status()
            assert (await questions._pace()).answer == 1


async def test_nothing_is_asked_beside_a_daemon(tmp_path: Path) -> None:
    """Two at a time could exceed the limit: the one who learns waits for the daemon to be stopped."""
    async with simulator(USUAL) as (simulation, kiwoom):
        settings = settings_for(tmp_path, kiwoom)
        with held(state_file(settings, "daemon.lock"), doing="works"), pytest.raises(StoreOwned):
            _ = [finding async for finding in learn(settings)]
        assert not simulation.monitor.arrivals


def test_what_was_learned_bounds_the_daemon(tmp_path: Path) -> None:
    """The daemon asks no faster and registers no more codes than the broker took."""
    settings = Settings(state_dir=tmp_path)
    keep(settings, {Question.PACE: 3, Question.CODES_PER_GROUP: 40, Question.DATE: "now"})
    bounded = with_learned(settings, CLOCK)
    assert bounded.kiwoom.pace == 3
    assert bounded.live.most_symbols == 40

    keep(settings, {Question.PACE: 50, Question.CODES_PER_GROUP: 1_000})
    assert with_learned(settings, CLOCK).kiwoom.pace == settings.kiwoom.pace
    assert with_learned(settings, CLOCK).live == settings.live


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        "{}",
        '{"form": 2}',
        learned_text(Learned(at=NOW - timedelta(days=181), host=HOST, answers={})),
        learned_text(Learned(at=NOW + timedelta(days=1), host=HOST, answers={})),
        learned_text(Learned(at=NOW, host="https://mockapi.kiwoom.com", answers={})),
        json.dumps({"form": 1, "at": NOW.isoformat(), "host": HOST, "answers": {"no_such": 1}}),
        json.dumps({"form": 1, "at": NOW.isoformat(), "host": HOST, "answers": {"date": [1]}}),
        json.dumps({"form": 1, "at": "2026-11-20T10:00:00", "host": HOST, "answers": {}}),
    ],
)
def test_a_wrong_or_old_file_is_refused_with_the_remedy(tmp_path: Path, text: str) -> None:
    """A file that is none, of another host or time changes nothing, and says how to make another."""
    with pytest.raises(LearnedRefused) as caught:
        parse_learned(text, host=HOST, now=NOW)
    assert "check --learn" in caught.value.remedy
    settings = Settings(state_dir=tmp_path)
    state_file(settings, FILE).write_text(text, encoding="utf-8")
    assert with_learned(settings, CLOCK) == settings


@hypothesis.settings(max_examples=30)
@given(st.dictionaries(st.sampled_from(Question), st.booleans() | st.integers() | st.text()))
def test_answers_survive_their_file(answers: dict[Question, Answer]) -> None:
    """What is written is read again as it was."""
    learned = Learned(at=NOW.astimezone(UTC), host=HOST, answers=answers)
    assert parse_learned(learned_text(learned), host=HOST, now=NOW) == learned


def keep(settings: Settings, answers: Mapping[Question, Answer]) -> None:
    """Leave a file of answers where the daemon looks."""
    text = learned_text(Learned(at=NOW, host=settings.kiwoom.rest_url, answers=answers))
    state_file(settings, FILE).write_text(text, encoding="utf-8")
