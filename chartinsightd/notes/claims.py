"""A model's sentences, held against the table of facts: kept or struck, each with its reason."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from chartinsightd.domain.foreign_text import cleaned
from chartinsightd.notes.facts import Direction, Fact, Language, shown
from chartinsightd.notes.numbers import has_number
from chartinsightd.notes.particles import with_particle

MOST_CLAIMS = 40
LONGEST_TEXT = 400
_PLACE = re.compile(r"\{(f[1-9][0-9]{0,3})\}")
_UP = re.compile(r"올랐|오르|오른|올라|상승|급등|반등|뛰었|rose|rise|risen|rising|gain|climb|\bup\b", re.I)
_DOWN = re.compile(r"내렸|내리|내린|내려|하락|급락|떨어|밀렸|fell|fall|declin|drop|\bdown\b", re.I)
_ABOVE = re.compile(r"높|웃돌|위에|늘|above|higher|more", re.I)
_BELOW = re.compile(r"낮|밑돌|아래|줄|below|lower|less", re.I)
_FOREIGN = re.compile(r"https?:|www\.|[<>\[\]`|\\]|\]\(", re.I)


class Strike(StrEnum):
    """Why a sentence is not shown."""

    SHAPE = "shape"
    """It is not a claim: a field is missing, too long or of another kind, or holds markup or control signs.
    """
    NUMBER = "number"
    """It types a number instead of pointing at a fact."""
    NO_FACT = "no_fact"
    """It points at no fact, so nothing holds it up."""
    UNKNOWN_FACT = "unknown_fact"
    """It points at a fact that was not given."""
    OTHER_STOCK = "other_stock"
    """It cites a fact of, or names, another stock than its own."""
    DIRECTION = "direction"
    """It says another direction than the change it cites, or none, or one without a change."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """A sentence about one stock that stands on facts."""

    symbol: str
    text: str
    """With its facts' values in it, as it is shown."""
    facts: tuple[str, ...]
    """Ids of the facts it cites."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """What became of a model's answer."""

    claims: tuple[Claim, ...]
    struck: Mapping[Strike, int]


def judged(answer: object, facts: Sequence[Fact], names: Mapping[str, str], language: Language) -> Judged:
    """Return which claims of a model's answer stand, with the values put in.

    Args:
        answer: the parsed answer, whatever it is; a claim is `{symbol, text, facts, direction}` in `claims`.
        facts: what the model was given.
        names: the stocks asked about, by symbol.
        language: of the sentences.
    """
    known = {fact.id: fact for fact in facts}
    claims: list[Claim] = []
    struck: Counter[Strike] = Counter()
    for raw in _claims_of(answer):
        found = _judge(raw, known, names, language)
        if isinstance(found, Strike):
            struck[found] += 1
        else:
            claims.append(found)
    return Judged(claims=tuple(claims), struck=dict(struck))


def _claims_of(answer: object) -> Iterable[object]:
    claims = answer.get("claims") if isinstance(answer, Mapping) else None
    return claims[:MOST_CLAIMS] if isinstance(claims, list) else ()


def _judge(
    raw: object, known: Mapping[str, Fact], names: Mapping[str, str], language: Language
) -> Claim | Strike:
    if not isinstance(raw, Mapping) or (draft := _draft(raw)) is None or draft.symbol not in names:
        return Strike.SHAPE
    cited = [*dict.fromkeys([*_PLACE.findall(draft.text), *draft.facts])]
    if not cited:
        return Strike.NUMBER if has_number(draft.text) else Strike.NO_FACT
    if any(one not in known for one in cited):
        return Strike.UNKNOWN_FACT
    words = _PLACE.sub(" ", draft.text)
    if "{" in words or "}" in words:
        return Strike.SHAPE
    facts = [known[one] for one in cited]
    if any(fact.symbol != draft.symbol for fact in facts) or _names_another(words, draft.symbol, names):
        return Strike.OTHER_STOCK
    if has_number(words):
        return Strike.NUMBER
    if not _is_true_direction(draft.direction, words, facts):
        return Strike.DIRECTION
    return Claim(symbol=draft.symbol, text=rendered(draft.text, known, language), facts=tuple(cited))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Draft:
    symbol: str
    text: str
    facts: tuple[str, ...]
    direction: Direction


def _draft(raw: Mapping[Any, Any]) -> _Draft | None:
    """Return the fields of a claim; None where they are not what was asked for."""
    symbol, text, facts, direction = (raw.get(name) for name in ("symbol", "text", "facts", "direction"))
    if not isinstance(symbol, str) or not isinstance(text, str) or not isinstance(facts, list):
        return None
    if not all(isinstance(one, str) for one in facts) or direction not in {*Direction}:
        return None
    if not 0 < len(text.strip()) <= LONGEST_TEXT or _FOREIGN.search(text) or cleaned(text) != text:
        return None
    return _Draft(symbol=symbol, text=text.strip(), facts=tuple(facts), direction=Direction(str(direction)))


def _names_another(words: str, symbol: str, names: Mapping[str, str]) -> bool:
    """Whether the sentence names another of the stocks; a name within its own is its own."""
    own = names[symbol]
    rest = words.replace(own, " ") if own else words
    return any(name in rest for other, name in names.items() if other != symbol and name)


def _is_true_direction(stated: Direction, words: str, facts: Sequence[Fact]) -> bool:
    """Whether a sentence says what the changes it cites say, in its field and in its words."""
    pointing = {fact.direction for fact in facts} - {Direction.NONE}
    rises, falls = bool(_UP.search(words)), bool(_DOWN.search(words))
    if not pointing:
        return stated is Direction.NONE and not rises and not falls
    if pointing != {stated}:
        return False
    says_up, says_down = rises or bool(_ABOVE.search(words)), falls or bool(_BELOW.search(words))
    return not (
        says_down if stated is Direction.UP else says_up if stated is Direction.DOWN else rises or falls
    )


def rendered(text: str, known: Mapping[str, Fact], language: Language) -> str:
    """Return a sentence with the values of its facts; Korean particles fit the figure before them.

    Where the sentence says the direction, a change is shown without its sign: 1.3% 내렸습니다.
    """
    parts = _PLACE.split(text)
    words = " ".join(parts[0::2])
    says = any(pattern.search(words) for pattern in (_UP, _DOWN, _ABOVE, _BELOW))
    whole = parts[0]
    for fact_id, following in zip(parts[1::2], parts[2::2], strict=True):
        figure = shown(known[fact_id], language, is_signed=not says)
        whole += figure + (with_particle(figure, following) if language == "ko" else following)
    return whole
