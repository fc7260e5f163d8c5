"""No false figure is shown, whatever a model answers; what is right is kept."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chartinsightd.notes.claims import Strike, judged
from chartinsightd.notes.facts import Direction, Fact, shown
from chartinsightd.notes.numbers import has_number
from chartinsightd.notes.template import template_claims
from tests.notes.conftest import NAMES

_SENTENCES = {
    "close": "종가는 {}입니다.",
    "change_1d": "전일 대비 {} {}.",
    "change_20d": "월간 흐름은 {} {}했습니다.",
    "from_sma_20": "월 평균보다 {} {}.",
    "neckline": "넥라인은 {}이며 지켜볼 가격입니다.",
    "peak": "최근 주요 고점은 {}이었습니다.",
    "trend": "추세는 {}입니다.",
    "rsi_14": "상대강도는 {}로 계산됩니다.",
}
_VERBS = {
    "change_1d": {Direction.UP: "올랐습니다", Direction.DOWN: "내렸습니다"},
    "change_20d": {Direction.UP: "상승", Direction.DOWN: "하락"},
    "from_sma_20": {Direction.UP: "높습니다", Direction.DOWN: "낮습니다"},
}


def right_claims(facts: Sequence[Fact]) -> list[dict[str, Any]]:
    """Return true sentences on every fact that has one."""
    claims = []
    for fact in facts:
        if (form := _SENTENCES.get(fact.name)) is None:
            continue
        verb = _VERBS.get(fact.name, {}).get(fact.direction, "")
        text = form.format(f"{{{fact.id}}}", verb) if verb else form.format(f"{{{fact.id}}}")
        claims.append(
            {"symbol": fact.symbol, "facts": [fact.id], "direction": fact.direction.value, "text": text}
        )
    return claims


def test_right_claims_are_kept(facts: tuple[Fact, ...]) -> None:
    """True sentences that follow the rules all pass, with the value and its particle in place."""
    claims = right_claims(facts)
    found = judged({"claims": claims}, facts, NAMES, "ko")
    assert found.struck == {}
    assert len(found.claims) == len(claims) >= 16
    texts = [claim.text for claim in found.claims]
    assert "전일 대비 1.8 % 올랐습니다." in texts
    assert "전일 대비 4.5 % 내렸습니다." in texts
    assert "넥라인은 68,100원이며 지켜볼 가격입니다." in texts


_FIGURES = ["71,000원", "3%", "삼 퍼센트", "칠만 이천 원", "두 배", "３％", "Ⅲ", "five percent", "½"]


def _typed(claim: dict[str, Any], _: Mapping[str, Fact], chance: random.Random) -> dict[str, Any]:
    figure = chance.choice(_FIGURES)
    return claim | {"text": f"{claim['text']} {figure} 수준입니다."}


def _replaced(claim: dict[str, Any], _: Mapping[str, Fact], chance: random.Random) -> dict[str, Any]:
    wrong = f"{chance.randrange(1_000, 99_999):,}원"
    return claim | {"text": re.sub(r"\{f\d+\}", wrong, claim["text"])}


def _invented(claim: dict[str, Any], _: Mapping[str, Fact], chance: random.Random) -> dict[str, Any]:
    fact_id = f"f{chance.randrange(500, 9_999)}"
    return claim | {"facts": [fact_id], "text": f"종가는 {{{fact_id}}}입니다."}


def _foreign(claim: dict[str, Any], facts: Mapping[str, Fact], _: random.Random) -> dict[str, Any]:
    other = next(fact for fact in facts.values() if fact.symbol != claim["symbol"] and fact.name == "close")
    return claim | {"facts": [other.id], "direction": "none", "text": f"종가는 {{{other.id}}}입니다."}


def _turned(claim: dict[str, Any], facts: Mapping[str, Fact], chance: random.Random) -> dict[str, Any]:
    change = next(f for f in facts.values() if f.symbol == claim["symbol"] and f.name == "change_1d")
    verb, stated = ("내렸습니다", "down") if change.direction is Direction.UP else ("올랐습니다", "up")
    field = chance.choice([stated, change.direction.value, "none"])
    return claim | {"facts": [change.id], "direction": field, "text": f"전일 대비 {{{change.id}}} {verb}."}


def _misshapen(claim: dict[str, Any], _: Mapping[str, Fact], chance: random.Random) -> dict[str, Any]:
    wrong = [
        {"symbol": "999999"},
        {"text": ""},
        {"text": claim["text"] + "x" * 500},
        {"text": claim["text"] + " <b>굵게</b>"},
        {"text": claim["text"] + " https://example.com"},
        {"text": claim["text"] + "\u202e"},
        {"facts": "f1"},
        {"direction": "sideways"},
        {"text": claim["text"].replace("}", "")},
        {"text": None},
    ]
    return claim | chance.choice(wrong)


def _baseless(claim: dict[str, Any], _: Mapping[str, Fact], chance: random.Random) -> dict[str, Any]:
    text = chance.choice(["외국인이 순매수했습니다.", "실적이 좋아질 것입니다.", "신제품 기대가 큽니다."])
    return claim | {"facts": [], "direction": "none", "text": text}


_CORRUPTIONS: list[Callable[[dict[str, Any], Mapping[str, Fact], random.Random], dict[str, Any]]] = [
    _typed,
    _replaced,
    _invented,
    _foreign,
    _turned,
    _misshapen,
    _baseless,
]


@pytest.mark.parametrize("corrupt", _CORRUPTIONS, ids=lambda one: one.__name__)
def test_a_corrupted_answer_shows_no_false_figure(
    corrupt: Callable[[dict[str, Any], Mapping[str, Fact], random.Random], dict[str, Any]],
    facts: tuple[Fact, ...],
) -> None:
    """Of a hundred corrupted answers of a kind, each false sentence is struck and each right one kept."""
    known, chance, right = {fact.id: fact for fact in facts}, random.Random(7), right_claims(facts)
    for _ in range(100):
        victim = chance.randrange(len(right))
        answer = [*right[:victim], corrupt(right[victim], known, chance), *right[victim + 1 :]]
        found = judged({"claims": answer}, facts, NAMES, "ko")
        assert sum(found.struck.values()) == 1, answer[victim]
        assert len(found.claims) == len(right) - 1
        for claim in found.claims:
            assert figures(claim.text) <= {shown_digits(known[one]) for one in claim.facts}


def figures(text: str) -> set[str]:
    """Return the figures that a sentence shows."""
    return set(re.findall(r"\d[\d,.]*\d|\d", text))


def shown_digits(fact: Fact) -> str:
    """Return the digits of a fact as they are written."""
    found = figures(shown(fact, "ko", is_signed=False))
    return next(iter(found), "")


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=30),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=9), inner, max_size=4),
    max_leaves=12,
)


@given(json_values | st.fixed_dictionaries({"claims": json_values}))
def test_whatever_comes_is_judged(answer: Any) -> None:
    """Any JSON is judged without an error, and nothing of it is kept that cites no fact."""
    assert judged(answer, (), NAMES, "ko").claims == ()


def test_a_stocks_name_is_no_way_for_a_figure(facts: tuple[Fact, ...]) -> None:
    """A hostile name does not let a model type the figure in it."""
    names = NAMES | {"005930": "지금 99,000원 돌파"}
    close = next(fact for fact in facts if fact.symbol == "005930" and fact.name == "close")
    claim = {"symbol": "005930", "facts": [close.id], "direction": "none"}
    text = f"지금 99,000원 돌파의 종가는 {{{close.id}}}입니다."
    assert judged({"claims": [claim | {"text": text}]}, facts, names, "ko").struck == {Strike.NUMBER: 1}


@pytest.mark.parametrize("language", ["ko", "en"])
def test_the_template_says_only_facts(facts: tuple[Fact, ...], language: Any) -> None:
    """Its sentences hold no number of their own, and cite facts of their own stock."""
    known = {fact.id: fact for fact in facts}
    claims = template_claims(facts, tuple(NAMES), language)
    assert {claim.symbol for claim in claims} == set(NAMES)
    for claim in claims:
        rest = claim.text
        for fact in map(known.get, claim.facts):
            assert fact is not None
            assert fact.symbol == claim.symbol
            for form in (shown(fact, language), shown(fact, language, is_signed=False)):
                rest = rest.replace(form, " ")
        assert not has_number(rest), rest
    assert json.dumps([claim.text for claim in claims])
