"""What a real key showed of the facts that no source knows (kiwoom.md#unknown)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from chartinsightd.domain.errors import ConfigurationError

Answer = bool | int | float | str
_FORM = 1
_LASTS = timedelta(days=180)
"""Kiwoom changes its servers a few times a year; an older answer may be none."""
_REMEDY = "Run `chartinsightd check --learn` again; until then the usual assumptions hold."


class Question(StrEnum):
    """Each is named like the switch of the simulator that plays its readings."""

    PACE = "requests_per_second"
    MINUTE_PAGE = "minute_page"
    DAY_PAGE = "day_page"
    WEEK_PAGE = "week_page"
    AFTER_MARKET = "after_market_in_daily"
    LATE_PRINT = "late_print_since_reform"
    HALTED_DAY = "halted_day_has_row"
    WEEK_LABEL = "week_label_is_monday"
    ADJUSTED_MINUTES = "adjusted_minutes"
    EMPTY_PAGE = "empty_page_loop"
    BAD_KEY = "bad_key"
    BATCH_STATUS = "batch_status"
    DATE = "date"
    SECOND_TOKEN = "token_policy"
    SECOND_LOGIN = "ws_second_login"
    PING_PERIOD = "ws_ping_period_s"
    CODES_PER_GROUP = "ws_codes_per_group"
    CODES_PER_CONNECTION = "ws_codes_per_connection"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What came of one question."""

    question: Question
    answer: Answer | None
    """None: it could not be found out."""
    words: str
    """What was seen, or why nothing could be."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Learned:
    """All answers of one host."""

    at: datetime
    """Aware, UTC."""
    host: str
    """Address of the REST host they are of: the paper host may differ from the real one."""
    answers: Mapping[Question, Answer]

    def number(self, question: Question) -> int | None:
        """Return an answer that counts something; None where there is none."""
        answer = self.answers.get(question)
        return answer if isinstance(answer, int) and not isinstance(answer, bool) and answer > 0 else None


class LearnedRefused(ConfigurationError):
    """A file of answers must not be used."""

    def __init__(self, message: str) -> None:
        super().__init__(message, remedy=_REMEDY)


def learned_text(learned: Learned) -> str:
    """Return the text of a file of answers."""
    content = {
        "form": _FORM,
        "at": learned.at.isoformat(),
        "host": learned.host,
        "answers": {str(question): answer for question, answer in learned.answers.items()},
    }
    return json.dumps(content, indent=2, ensure_ascii=False) + "\n"


def parse_learned(text: str, *, host: str, now: datetime) -> Learned:
    """Read a file of answers.

    Args:
        text: of the file.
        host: the REST host that is used now.
        now: aware.

    Raises:
        LearnedRefused: it is no such file, of another host, of the future, or older than half a year.
    """
    learned = _decoded(text)
    if learned.host != host:
        raise LearnedRefused(f"It is of {learned.host}, and {host} is used now.")
    if not timedelta() <= now - learned.at <= _LASTS:
        raise LearnedRefused(f"It is of {learned.at:%Y-%m-%d}, not of the last {_LASTS.days} days.")
    return learned


def _decoded(text: str) -> Learned:
    try:
        content = json.loads(text)
        if content["form"] != _FORM:
            raise LearnedRefused(f"It has the form {content['form']!r}; this version reads {_FORM}.")
        answers = {Question(name): answer for name, answer in content["answers"].items()}
        at, host = datetime.fromisoformat(content["at"]), content["host"]
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise LearnedRefused(f"It is no file of answers ({type(error).__name__}).") from None
    if at.tzinfo is None or not all(isinstance(answer, Answer) for answer in answers.values()):
        raise LearnedRefused("It is no file of answers (a time without a zone, or an answer that is none).")
    return Learned(at=at, host=str(host), answers=answers)
