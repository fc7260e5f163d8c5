"""Korean particles after a figure, chosen by the last sound of the figure as it is read aloud."""

from __future__ import annotations

import re
from collections.abc import Mapping

_HANGUL_FIRST, _HANGUL_LAST = 0xAC00, 0xD7A3
_FINALS = 28
_RIEUL = 8
"""Place of ㄹ among the final sounds: after it, 로 follows as after a vowel."""
_READ_AS: Mapping[str, str] = {
    **dict(zip("0123456789", ("영", "일", "이", "삼", "사", "오", "육", "칠", "팔", "구"), strict=True)),
    "%": "퍼센트",
    ")": "사",
}
"""How a last sign that is no Hangul ends when it is read; `)` closes RSI(14)."""
_PAIRS: Mapping[str, tuple[str, str]] = {
    "은": ("은", "는"),
    "는": ("은", "는"),
    "이": ("이", "가"),
    "가": ("이", "가"),
    "을": ("을", "를"),
    "를": ("을", "를"),
    "과": ("과", "와"),
    "와": ("과", "와"),
    "으로": ("으로", "로"),
    "로": ("으로", "로"),
    "이라": ("이라", "라"),
    "이며": ("이며", "며"),
    "이고": ("이고", "고"),
}
"""Each particle with the form after a final consonant and after a vowel."""
_AFTER = re.compile(
    r"^(?:은\(는\)|는\(은\)|이\(가\)|가\(이\)|을\(를\)|를\(을\)|과\(와\)|와\(과\)|\(으\)로|으로|"
    r"은|는|이라|이며|이고|이|가|을|를|과|와|로)(?![가-힣])"
)
_BOTH = {"은(는)": "은", "는(은)": "은", "이(가)": "이", "가(이)": "이", "을(를)": "을", "를(을)": "을"}
_BOTH |= {"과(와)": "과", "와(과)": "과", "(으)로": "으로"}


def with_particle(figure: str, following: str) -> str:
    """Return the text that follows a figure, with its particle in the form that fits the figure.

    Text that does not begin with a particle, or in which a longer word begins so, is left as it is.
    """
    found = _AFTER.match(following)
    if found is None:
        return following
    particle = _BOTH.get(found[0], found[0])
    closed, opened = _PAIRS[particle]
    final = _final_of(figure)
    is_open = final == 0 or (particle in {"으로", "로"} and final == _RIEUL)
    return (opened if is_open else closed) + following[found.end() :]


def _final_of(figure: str) -> int:
    """Return the place of the final sound of the last syllable as read aloud; 0 is a vowel."""
    last = figure[-1:]
    last = _READ_AS.get(last, last)[-1:]
    if not last or not _HANGUL_FIRST <= ord(last) <= _HANGUL_LAST:
        return 0
    return (ord(last) - _HANGUL_FIRST) % _FINALS
