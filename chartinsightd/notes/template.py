"""The note without a model: fixed sentences, filled from the facts; they hold no number of their own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from chartinsightd.notes.claims import Claim, rendered
from chartinsightd.notes.facts import Direction, Fact, Language

_Sentences = Mapping[Direction, tuple[str, str]]
_MOVES: _Sentences = {
    Direction.UP: (
        "종가는 {close}으로 전일보다 {change_1d} 올랐습니다.",
        "It closed at {close}, up {change_1d} on the day.",
    ),
    Direction.DOWN: (
        "종가는 {close}으로 전일보다 {change_1d} 내렸습니다.",
        "It closed at {close}, down {change_1d} on the day.",
    ),
    Direction.FLAT: ("종가는 {close}으로 전일과 같습니다.", "It closed at {close}, unchanged on the day."),
}
_MONTH: _Sentences = {
    Direction.UP: (
        "월간 흐름은 {change_20d} 상승입니다.",
        "Over the month it rose {change_20d}.",
    ),
    Direction.DOWN: (
        "월간 흐름은 {change_20d} 하락입니다.",
        "Over the month it fell {change_20d}.",
    ),
    Direction.FLAT: ("월간 흐름은 제자리입니다.", "Over the month it is where it was."),
}
_FROM_MEAN: _Sentences = {
    Direction.UP: (
        "월 평균 {sma_20}보다 {from_sma_20} 높습니다.",
        "It is {from_sma_20} above its monthly mean of {sma_20}.",
    ),
    Direction.DOWN: (
        "월 평균 {sma_20}보다 {from_sma_20} 낮습니다.",
        "It is {from_sma_20} below its monthly mean of {sma_20}.",
    ),
    Direction.FLAT: ("월 평균 {sma_20}과 같습니다.", "It is at its monthly mean of {sma_20}."),
}
_PLAIN: Sequence[tuple[str, str]] = (
    ("거래량은 월 평균의 {volume_ratio}입니다.", "Volume is {volume_ratio} its monthly mean."),
    (
        "추세는 {trend}이고, {trend_since}에 확인되었습니다.",
        "The trend is {trend}, known since {trend_since}.",
    ),
    (
        "최근 주요 고점은 {peak_day}의 {peak}, 주요 저점은 {valley_day}의 {valley}입니다.",
        "The last primary peak is {peak} on {peak_day}, the last primary valley {valley} on {valley_day}.",
    ),
    (
        "{pattern} 패턴은 {pattern_state} 상태이며 넥라인은 {neckline}입니다.",
        "A {pattern} is {pattern_state}; its neckline is {neckline}.",
    ),
    (
        "연간 최고가는 {high_52w}, 최저가는 {low_52w}입니다.",
        "The high of the year is {high_52w}, the low {low_52w}.",
    ),
    ("상대강도(RSI)는 {rsi_14}입니다.", "RSI is {rsi_14}."),
)


def template_claims(facts: Sequence[Fact], symbols: Sequence[str], language: Language) -> tuple[Claim, ...]:
    """Return the fixed sentences that the facts of each stock can fill, stock by stock."""
    return tuple(claim for symbol in symbols for claim in _of_stock(symbol, facts, language))


def _of_stock(symbol: str, facts: Sequence[Fact], language: Language) -> Iterator[Claim]:
    own = {fact.name: fact for fact in facts if fact.symbol == symbol}
    for key, sentences in (("change_1d", _MOVES), ("change_20d", _MONTH), ("from_sma_20", _FROM_MEAN)):
        if key in own:
            yield from _filled(symbol, sentences[own[key].direction], own, language)
    for sentence in _PLAIN:
        yield from _filled(symbol, sentence, own, language)


def _filled(
    symbol: str, sentence: tuple[str, str], own: Mapping[str, Fact], language: Language
) -> Iterator[Claim]:
    """Yield the sentence, where all its facts are known."""
    korean, english = sentence
    text = korean if language == "ko" else english
    wanted = [name for name in own if f"{{{name}}}" in text]
    for name in wanted:
        text = text.replace(f"{{{name}}}", f"{{{own[name].id}}}")
    known = {own[name].id: own[name] for name in wanted}
    if wanted and text.count("{") == sum(text.count(f"{{{one}}}") for one in known):
        yield Claim(symbol=symbol, text=rendered(text, known, language), facts=tuple(known))
