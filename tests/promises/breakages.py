"""Ways to break the code, each of which must make a named test fail: what keeps docs/promises.md honest.

One line (one entry) each. `python -m tests.promises` applies them one at a time to a copy of the repository.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Breakage:
    """One change of the product that breaks a promise."""

    promise: int
    """Its number in docs/promises.md."""
    why: str
    """What the broken code does."""
    file: str
    old: str
    """A text that stands in the file exactly once."""
    new: str
    test: str
    """The test that must fail: `file` or `file::test`."""


_DOMAIN = "chartinsightd/domain"
_KIWOOM, _POSTGRES = "chartinsightd/adapters/kiwoom", "chartinsightd/adapters/postgres"
_T_STORE = "tests/adapters/postgres/test_candles.py"
_T_QUARANTINE = "tests/service/collecting/test_collector.py"

BREAKAGES = (
    Breakage(
        1,
        "a series whose newest page was read counts as complete, whatever is missing behind it",
        f"{_DOMAIN}/planning.py",
        "return not self.is_stale(state) and state.covered.covers(self.expected)",
        "return not self.is_stale(state)",
        "tests/domain/test_planning.py::test_after_the_plan_nothing_is_due",
    ),
    Breakage(
        1,
        "the range of a refused row counts as covered, so that it is never read again",
        "chartinsightd/service/collecting/collector.py",
        "return shown - self._holes",
        "return shown",
        f"{_T_QUARANTINE}::test_a_refused_row_at_the_end_of_a_page_stays_a_hole",
    ),
    Breakage(
        1,
        "a row that stays refused holds up the polls of its series",
        "chartinsightd/service/collecting/scheduler.py",
        "self._retries.defer(series, ranges, reason, _TOLD[reason])",
        "self._retries.found_nothing(task.key)",
        "tests/service/gaps/test_gap_list.py::test_a_row_that_stays_refused_delays_no_other_candle",
    ),
    Breakage(
        1,
        "what is stored and not proved is in no list",
        "chartinsightd/service/gaps/gap_list.py",
        "if series in followed:",
        "if False:",
        "tests/service/gaps/test_gap_list.py::test_an_open_seal_is_a_gap_of_its_suspects",
    ),
    Breakage(
        1,
        "pages spooled under the calendar of before cover a day that was learned since",
        "chartinsightd/service/collecting/coverage_ledger.py",
        "if self._pending:\n            raise StoreUnavailable(",
        "if False:\n            raise StoreUnavailable(",
        "tests/service/calendar/test_learned_days.py",
    ),
    Breakage(
        2,
        "a clock that runs ahead of the broker's is not held back",
        "chartinsightd/clock.py",
        "return shown - timedelta(seconds=max(0.0, offset - self._latest))",
        "return shown",
        "tests/test_clock.py::test_a_clock_that_is_ahead_is_held_back",
    ),
    Breakage(
        2,
        "a page is called as new as a clock that runs ahead says",
        f"{_KIWOOM}/transport.py",
        "return date - timedelta(seconds=self._clock.monotonic() - sent_s)",
        "return asked_at",
        "tests/adapters/kiwoom/test_client.py::test_a_request_left_no_later_than_the_date_of_its_answer",
    ),
    Breakage(
        2,
        "a candle is final at its end, without the settle time",
        f"{_DOMAIN}/finality.py",
        "grid.ends[at] + settle_s",
        "grid.ends[at]",
        "tests/domain/test_finality.py",
    ),
    Breakage(
        2,
        "a later, provisional read takes a final candle back",
        f"{_POSTGRES}/rows.py",
        'allowed = both["final"] | ~there["final"]',
        'allowed = both["final"] | True',
        f"{_T_STORE}::test_a_final_candle_is_not_taken_back",
    ),
    Breakage(
        2,
        "a changed final candle leaves no revision",
        f"{_POSTGRES}/rows.py",
        'return diff.before["final"] & _values_differ(diff.changed, diff.before)',
        'return diff.before["final"] & False',
        f"{_T_STORE}::test_a_changed_final_candle_leaves_a_revision",
    ),
    Breakage(
        3,
        "a fetch succeeds when no exception was raised",
        "chartinsightd/service/collecting/scheduler.py",
        "return self._judge(task, outcome)",
        "return True",
        "tests/service/collecting/test_scheduler.py::test_a_blank_answer_proves_nothing",
    ),
    Breakage(
        3,
        "a page with fewer rows than announced is taken for whole",
        f"{_KIWOOM}/charts.py",
        "if answer.row_count is not None and answer.row_count not in {chart.sent, chart.rows}:",
        "if answer.row_count is not None and answer.row_count < 0:",
        "tests/adapters/kiwoom/test_charts.py::test_what_stays_unbelievable_is_raised",
    ),
    Breakage(
        3,
        "a refusal with HTTP status 200 is taken for data",
        f"{_KIWOOM}/errors.py",
        "if return_code == 0 and status < 400:",
        "if status < 400:",
        "tests/adapters/kiwoom/test_errors.py",
    ),
    Breakage(
        3,
        "a look at corporate actions whose chart ended too early counts as whole",
        "chartinsightd/service/actions/adjuster.py",
        "failed = findings.short is not None and self._is_too_short(symbol, findings.short)",
        "failed = False",
        "tests/service/actions/test_adjuster.py::test_a_chart_that_ends_too_early_is_asked_for_again",
    ),
    Breakage(
        4,
        "the checkpoint moves before the commit",
        "chartinsightd/service/collecting/writer.py",
        "written = await self._store.save(writes)",
        "await self._ledger.record(writes); written = await self._store.save(writes)",
        "tests/service/collecting/test_writer.py::test_while_the_database_is_away_pages_wait_on_disk",
    ),
    Breakage(
        4,
        "the checkpoint is believed although the database knows less",
        "chartinsightd/service/collecting/coverage_ledger.py",
        "self._states, self._is_reconciled = states, True",
        "self._states, self._is_reconciled = {**states, **remembered}, True",
        "tests/service/collecting/test_coverage_ledger.py",
    ),
    Breakage(
        4,
        "a record of the checkpoint is believed without its checksum",
        "chartinsightd/adapters/sqlite_file.py",
        'if not isinstance(blob, bytes) or blob[:4] != crc32(blob[4:]).to_bytes(4, "big"):',
        "if not isinstance(blob, bytes):",
        "tests/adapters/test_checkpoint.py::test_any_flipped_byte_of_a_record_is_noticed",
    ),
    Breakage(
        5,
        "the gate counts a second a tenth too short",
        f"{_KIWOOM}/gate.py",
        "_WINDOW_S = 1.0",
        "_WINDOW_S = 0.9",
        "tests/adapters/kiwoom/test_gate.py::test_no_sliding_second_ever_holds_more_than_the_limit",
    ),
    Breakage(
        5,
        "a gate sends at once, whatever an earlier process sent just before",
        f"{_KIWOOM}/gate.py",
        "empty_until = self._opened_at + _WINDOW_S + _guard(self._guard_s, self._clock.speed)",
        "empty_until = self._opened_at",
        "tests/adapters/kiwoom/test_gate.py::test_the_first_second_stays_empty",
    ),
    Breakage(
        5,
        "tokens are asked for as fast as charts",
        f"{_KIWOOM}/gate.py",
        "limit = min(self._limit, self._own_limits.get(api_id, self._limit))",
        "limit = self._limit",
        "tests/adapters/kiwoom/test_gate.py::test_an_api_with_a_limit_of_its_own_keeps_it",
    ),
    Breakage(
        5,
        "a request that was given up is forgotten, though the broker may count it yet",
        f"{_KIWOOM}/gate.py",
        "return now, now + max(self._round_trips.largest(), patience_s * self._clock.speed)",
        "return now, now",
        "tests/adapters/kiwoom/test_gate.py::test_a_broker_that_stands_still_counts_no_burst",
    ),
    Breakage(
        5,
        "a request whose connection was cut is taken to be over",
        f"{_KIWOOM}/transport.py",
        "slot.cut_off()",
        "slot.lost()",
        "tests/adapters/kiwoom/test_client.py::test_requests_that_were_cut_off_keep_their_places",
    ),
    Breakage(
        6,
        "a row with a bad field vanishes",
        f"{_KIWOOM}/wire.py",
        "        except _BadField as bad:\n            self._reject(str(bad), row, instant)",
        "        except _BadField:\n            pass",
        "tests/adapters/kiwoom/test_wire.py::test_a_bad_field_costs_its_row_only",
    ),
    Breakage(
        6,
        "nobody adds up what the store says of its commits",
        "chartinsightd/service/collecting/writer.py",
        "        check_commit(writes, written)\n",
        "",
        f"{_T_QUARANTINE}::test_a_store_that_lies_ends_the_daemon",
    ),
    Breakage(
        6,
        "a price that the broker repeats is refused all the same",
        "chartinsightd/service/collecting/second_look.py",
        "priority)\n            doubted &= ~self._are_confirmed(candles)\n",
        "priority)\n",
        f"{_T_QUARANTINE}::test_what_the_broker_repeats_is_stored",
    ),
    Breakage(
        7,
        "the watchdog is fed by a loop that merely turns",
        "chartinsightd/service/monitoring/health.py",
        "return lateness is None or self._database.failure is not None or self._data(lateness).ok",
        "return True",
        "tests/backend/test_board.py::test_due_data_that_nobody_commits_starves_the_watchdog",
    ),
    Breakage(
        7,
        "an alert never ends",
        "chartinsightd/service/monitoring/active_alerts.py",
        "for kind in [kind for kind in self._active if kind not in found]:",
        "for event in ():",
        "tests/backend/test_board.py::test_a_broker_that_is_away_is_one_alert",
    ),
    Breakage(
        8,
        "every mode writes the schema of live",
        f"{_POSTGRES}/sessions.py",
        'self._settings = {**SETTINGS, "search_path": schema,',
        'self._settings = {**SETTINGS, "search_path": "live",',
        f"{_T_STORE}::test_two_stores_do_not_mix",
    ),
    Breakage(
        9,
        "the log does not strike out what it was told to hide",
        "chartinsightd/process/logs.py",
        "text = text.replace(secret, HIDDEN)",
        "text = text.replace(HIDDEN, secret)",
        "tests/process/test_logs.py::test_a_secret_gets_through_nowhere",
    ),
    Breakage(
        9,
        "keys that the broker echoes come through in its errors",
        f"{_KIWOOM}/transport.py",
        "return Redaction((*keys, *secrets)).clean(text)",
        "return text",
        "tests/adapters/kiwoom/test_client.py::test_keys_the_broker_echoes_are_struck_out",
    ),
    Breakage(
        9,
        "everybody on the machine may talk to the daemon",
        "chartinsightd/control/listening.py",
        "SOCKET_MODE = 0o660",
        "SOCKET_MODE = 0o666",
        "tests/control/test_listening.py::test_owner_and_group_may_connect_and_nobody_else",
    ),
    Breakage(
        4,
        "the checkpoint is compared with the database once, and believed after the database was set back",
        "chartinsightd/service/collecting/coverage_ledger.py",
        "                await self._changed.wait()\n",
        "                await asyncio.Event().wait()\n",
        "tests/service/collecting/test_coverage_ledger.py::test_a_database_that_was_set_back_is_believed",
    ),
    Breakage(
        4,
        "a database that was set back by some sessions passes for the one of before",
        f"{_POSTGRES}/sessions.py",
        "if known is None or found == replace(known, sessions=known.sessions + 1):",
        "if known is None or found.sessions:",
        "tests/adapters/postgres/test_sessions.py::test_an_older_database_is_noticed",
    ),
    Breakage(
        4,
        "an error of the database that no list names ends the daemon",
        f"{_POSTGRES}/errors.py",
        "raise _told(error, place_of(dsn)) from error",
        "raise",
        "tests/adapters/postgres/test_refusals.py::test_every_code_of_the_server_is_an_error_of_ours",
    ),
    Breakage(
        4,
        "a state file is believed for what it says of its own tables",
        "chartinsightd/adapters/sqlite_file.py",
        "if _description(connection) != _description(fresh):",
        "if _description(connection)[:2] != _description(fresh)[:2]:",
        "tests/adapters/test_sqlite_file.py::test_every_byte_of_a_file_may_rot",
    ),
    Breakage(
        8,
        "a schema that was renamed or restored under the other mode's name is taken for this mode's",
        f"{_POSTGRES}/session.py",
        "if mode is not None and mode != schema:",
        "if mode is None:",
        "tests/adapters/postgres/test_sessions.py::test_a_store_under_another_name_is_refused",
    ),
    Breakage(
        9,
        "a part of a password that holds a ? is shown as the place of the database",
        f"{_POSTGRES}/dsn.py",
        'if parts is None or not _are_hosts(parts["hosts"]):',
        "if parts is None:",
        "tests/adapters/postgres/test_dsn.py::test_a_password_is_in_no_message",
    ),
    Breakage(
        16,
        "the sums forget what a correction replaces",
        f"{_POSTGRES}/sums.py",
        "for rows, sign in ((diff.added, 1), (diff.changed, 1), (diff.before, -1)):",
        "for rows, sign in ((diff.added, 1), (diff.changed, 1)):",
        "tests/adapters/postgres/test_sums.py::test_what_was_written_is_what_is_there",
    ),
    Breakage(
        16,
        "only the number of rows is compared, not what they say",
        f"{_POSTGRES}/sums.py",
        " or coalesce(a.checksum, 0) <> coalesce(s.checksum, 0)",
        "",
        "tests/adapters/postgres/test_sums.py::test_harm_is_found_and_heals",
    ),
    Breakage(
        16,
        "what the server says it stored is not compared with what was sent",
        f"{_POSTGRES}/candle_sql.py",
        "if stored != sent:",
        "if stored > sent:",
        "tests/adapters/postgres/test_sums.py::test_rows_that_are_swallowed_are_noticed_at_once",
    ),
    Breakage(
        16,
        "rows that differ are believed from memory after they were found",
        f"{_POSTGRES}/candles.py",
        "                self._tails.forget(series)\n        return",
        "        return",
        "tests/adapters/postgres/test_sums.py::test_what_differs_is_not_believed_from_memory",
    ),
)
