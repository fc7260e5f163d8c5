"""The live feed: logged in, registered, restored, whatever the broker does."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from datetime import timedelta

import pytest

from chartinsightd.adapters.kiwoom.realtime.feed import KiwoomFeed
from chartinsightd.ports.live import FeedLost, FeedOpened, LossCause, Trades
from tests.simulator.server_client import NOON, UNLIMITED, running
from tests.simulator.test_server_websocket import socket_of, strike

from .stream import Script, feed_of, next_of, scripted, trades_until
from .test_frames import VALUES, frame

FAST = replace(UNLIMITED, ws_trade_period_s=0.01)
BOTH = ["005930", "0126Z0"]


async def opened(feed: KiwoomFeed, symbols: list[str] | None = None) -> FeedOpened:
    """Want symbols, and return the opening that has them."""
    feed.want(symbols or BOTH)
    return await next_of(feed, FeedOpened)


async def test_trades_come_as_they_happened() -> None:
    """After login and registration each trade of the broker is an event, with the broker's own figures."""
    async with running(FAST) as broker, feed_of(broker) as feed:
        assert (await opened(feed)).symbols == {*BOTH}
        await broker.step(timedelta(minutes=10))
        found = await trades_until(feed, 20)
        rows = (await broker.minutes(tic_scope="1")).json["stk_min_pole_chart_qry"][:10]
        state = feed.state()

    mine = [trade for trade in found if trade.symbol == "005930"]
    assert [str(trade.volume) for trade in mine] == [row["trde_qty"] for row in reversed(rows)]
    assert [str(trade.running_volume) for trade in mine] == [row["acc_trde_qty"] for row in reversed(rows)]
    assert [trade.at for trade in found] == sorted(trade.at for trade in found)
    assert (state.registered, state.spoiled) == (frozenset(BOTH), 0)


async def test_ping_is_echoed() -> None:
    """A broker that closes whoever misses two PINGs keeps us."""
    strict = replace(FAST, ws_ping_period_s=0.1, ws_missed_pings=2)
    async with running(strict) as broker, feed_of(broker) as feed:
        await opened(feed)
        await asyncio.sleep(0.5)
        assert feed.state().sessions == 1
        assert feed.state().since is not None


@pytest.mark.parametrize(
    ("fault", "cause"),
    [
        ("ws_reset", LossCause.CLOSED),
        ("ws_unheard", LossCause.UNHEARD),
        ("ws_not_let_in", LossCause.NOT_LET_IN),
    ],
)
async def test_a_lost_session_is_restored(fault: str, cause: LossCause) -> None:
    """Told with its cause; then login and registrations come back by themselves, and trades go on."""
    async with running(FAST) as broker, feed_of(broker) as feed:
        await opened(feed)
        await strike(broker, fault)
        await broker.step(timedelta(minutes=1))
        lost = await next_of(feed, FeedLost)
        assert (lost.cause, lost.next_try_s <= 2.0) == (cause, True)
        assert (await next_of(feed, FeedOpened)).symbols == {*BOTH}
        await broker.step(timedelta(minutes=1))
        assert len(await trades_until(feed, 2)) == 2


async def test_a_session_that_another_takes_is_not_fought_for() -> None:
    """R10001: told with its remedy, and the next try is minutes away; the other program is left alone."""
    async with running(FAST) as broker, feed_of(broker) as feed, socket_of(broker) as other:
        await opened(feed)
        await other.log_in(broker)
        lost = await next_of(feed, FeedLost)
        assert lost.cause is LossCause.TAKEN_OVER
        assert lost.next_try_s >= 300
        assert "another key" in lost.remedy
        assert (await next_of(feed, FeedOpened)).symbols == {*BOTH}
        assert feed.state().sessions == 2


async def test_a_dead_token_does_not_end_the_session() -> None:
    """Trades go on; only the next login asks for another token."""
    async with running(FAST) as broker, feed_of(broker) as feed:
        await opened(feed)
        await broker.admin("POST", "tokens/invalidate")
        await broker.step(timedelta(minutes=1))
        assert len(await trades_until(feed, 2)) == 2
        await broker.admin("POST", "websocket/close")
        assert (await next_of(feed, FeedLost)).cause is LossCause.CLOSED
        assert (await next_of(feed, FeedLost)).cause is LossCause.NOT_LET_IN
        assert (await next_of(feed, FeedOpened)).symbols == {*BOTH}
        assert len(broker.simulation.tokens.issued) == 2


async def test_a_feed_that_lost_its_voice_is_replaced() -> None:
    """Who reads the feed knows it by other means, and says so."""
    async with running(FAST) as broker, feed_of(broker) as feed:
        await opened(feed)
        feed.reconnect("No trade for five minutes while the market is open.")
        lost = await next_of(feed, FeedLost)
        assert (lost.cause, lost.message[:8]) == (LossCause.SILENT, "No trade")
        await next_of(feed, FeedOpened)


async def test_a_lower_bound_of_the_broker_costs_what_is_beyond_it() -> None:
    """Of five wanted codes the first two are registered where the broker takes two; the rest is told."""
    wanted = ["005930", "0126Z0", "000660", "035720", "035420"]
    async with running(replace(FAST, ws_codes_per_connection=2)) as broker, feed_of(broker) as feed:
        assert (await opened(feed, wanted)).symbols == {"005930", "0126Z0"}
        assert feed.state().refused == {"000660", "035720", "035420"}


async def test_a_refused_registration_is_tried_in_parts() -> None:
    """One refusal of all registers all the same, in halves."""
    async with running(FAST) as broker, feed_of(broker) as feed:
        await strike(broker, "ws_reg_refused")
        assert (await opened(feed)).symbols == {*BOTH}


async def test_our_own_bound_holds() -> None:
    """No more codes are asked for than the setting allows, the most wanted first."""
    async with running(FAST) as broker, feed_of(broker, most_symbols=1) as feed:
        assert (await opened(feed)).symbols == {"005930"}


async def test_what_is_wanted_can_change() -> None:
    """Codes come and go within the session."""
    async with running(FAST) as broker, feed_of(broker) as feed:
        await opened(feed, ["005930"])
        assert (await opened(feed, ["0126Z0"])).symbols == {"0126Z0"}
        await broker.step(timedelta(minutes=1))
        assert {trade.symbol for trade in await trades_until(feed, 1)} == {"0126Z0"}
        assert feed.state().sessions == 1


async def test_nothing_is_opened_for_nothing() -> None:
    """Without a wanted symbol the broker sees no session."""
    async with running(FAST) as broker, feed_of(broker) as feed:
        await asyncio.sleep(0.1)
        assert (await broker.admin("GET", "stats"))["websocket_sessions"] == 0
        await opened(feed)


async def test_a_refused_handshake_is_tried_again() -> None:
    """503 is an outage; the firewall's 400 is a block with its remedy."""
    async with running(FAST) as broker:
        await strike(broker, "ws_refused")
        async with feed_of(broker) as feed:
            feed.want(BOTH)
            assert (await next_of(feed, FeedLost)).cause is LossCause.UNREACHABLE
            await next_of(feed, FeedOpened)
        async with feed_of(broker, agent="Python/3.11 aiohttp/3.14") as feed:
            feed.want(BOTH)
            lost = await next_of(feed, FeedLost)
            assert (lost.cause, "user_agent" in lost.remedy) == (LossCause.BLOCKED, True)


async def test_a_broker_that_is_away_is_asked_ever_more_slowly() -> None:
    """Waits grow to a minute and never beyond."""
    async with running(FAST) as broker, feed_of(broker) as feed:
        await broker.admin("POST", "faults", {"mix": [{"fault": "ws_refused"}]})
        feed.want(BOTH)
        waits = [(await next_of(feed, FeedLost)).next_try_s for _ in range(9)]
    assert waits[0] <= 2 < waits[3]
    assert 30 <= waits[-1] <= 60


async def test_a_key_that_is_blocked_is_told() -> None:
    """The token's refusal is the stream's, with the portal's remedy."""
    async with running(FAST) as broker:
        await broker.admin("POST", "ip-allowlist", {"allow": []})
        async with feed_of(broker) as feed:
            feed.want(BOTH)
            lost = await next_of(feed, FeedLost)
    assert lost.cause is LossCause.BLOCKED
    assert "지정단말기" in lost.remedy


async def test_a_burst_loses_nothing_however_slow_the_reader() -> None:
    """10,000 frames while nobody reads: all of them come, in order."""
    burst = [frame(VALUES | {"15": "+1", "13": str(i)}) for i in range(1, 10_001)]
    script = Script(after_login=burst)
    async with scripted(script, NOON.replace(hour=20)) as feed:
        feed.want(["005930"])
        await asyncio.sleep(0.3)
        found = await trades_until(feed, 10_000)
    assert [trade.running_volume for trade in found] == list(range(1, 10_001))


async def test_frames_may_come_between_question_and_answer() -> None:
    """SYSTEM of an unknown code, PING and trades before the login's answer; SYSTEM is never answered."""
    early = ['{"trnm":"SYSTEM","code":"R77777","message":"?"}', '{"trnm":"PING"}', frame(VALUES)]
    script = Script(before_login_answer=early, after_login=[b'{"trnm":"PING"}'])
    async with scripted(script, NOON.replace(hour=20)) as feed:
        feed.want(["005930"])
        assert len((await next_of(feed, Trades)).trades) == 1
        await next_of(feed, FeedOpened)
        async with asyncio.timeout(60):
            while len(script.heard) < 4:  # noqa: ASYNC110 - the script hears, it tells nobody
                await asyncio.sleep(0.01)
    assert [said["trnm"] for said in script.heard] == ["LOGIN", "PING", "REG", "PING"]


async def test_a_frame_beyond_all_bounds_costs_the_session() -> None:
    """Two megabytes are no frame: the session ends, and the next one is had."""
    script = Script(after_login=["x" * 2_000_000])
    async with scripted(script, NOON) as feed:
        await opened(feed)
        assert (await next_of(feed, FeedLost)).cause is LossCause.CLOSED
        await next_of(feed, FeedOpened)


async def test_spoiled_frames_are_counted_and_cost_themselves() -> None:
    """Half a frame, a frame of another type and a trade without price bring nothing; the next trade comes."""
    spoiled = [frame(VALUES)[:40], frame(VALUES, kind="0D"), frame(VALUES | {"10": ""}), frame(VALUES)]
    async with scripted(Script(after_login=spoiled), NOON.replace(hour=20)) as feed:
        feed.want(["005930"])
        assert len(await trades_until(feed, 1)) == 1
        assert feed.state().spoiled == 2


async def test_no_token_is_quoted() -> None:
    """A broker that echoes the token in its refusal does not bring it into a message."""
    words = "bad a-token-of-the-script"
    refusal = json.dumps({"trnm": "LOGIN", "return_code": 805004, "return_msg": words})
    async with scripted(Script(before_login_answer=[refusal]), NOON) as feed:
        feed.want(["005930"])
        lost = await next_of(feed, FeedLost)
    assert lost.cause is LossCause.NOT_LET_IN
    assert "a-token" not in lost.message


async def test_a_broker_that_closes_at_once_is_not_hammered() -> None:
    """Sessions that end as soon as they begin have growing waits between them."""
    async with scripted(Script(closes=True), NOON) as feed:
        feed.want(["005930"])
        waits = [(await next_of(feed, FeedLost)).next_try_s for _ in range(6)]
    assert waits[-1] > 10 * waits[0]
