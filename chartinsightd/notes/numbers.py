"""Whether a text holds a number in any script or word.

A model's sentence may hold none: every figure comes from a fact. The rule rather strikes a harmless sentence
than lets a figure through; words that merely look like numerals (구조, 사이, 일부, 이 원인) pass.
"""

from __future__ import annotations

import re
import unicodedata

_DIGIT = "영공일이삼사오육륙칠팔구"
_PLACE = "십백천만억조"
_NUMERAL = f"[{_DIGIT}{_PLACE}]"
_START = r"(?<![가-힣A-Za-z])"
_PARTICLE = (
    r"(?=$|[^가-힣]|은|는|이|가|을|를|의|에|로|으로|까지|부터|대|선|정도|가량|만|도|과|와|씩|쯤|짜리|넘|아래|위|"
    r"이상|이하|미만|초과|동안|전|후|째|간|안팎|내외|오르|올|내리|내려|상승|하락|늘|줄|높|낮|입|였|이었|인 )"
)
_HARD_UNIT = r"(?:원|퍼센트|프로|배|포인트|달러|개월)"
"""What nothing but a number stands before."""
_UNIT = (
    r"(?:원|퍼센트|프로|배|포인트|달러|거래일|영업일|개월|년|월|주일|주간|"
    r"주|일|시간|분|회|번|건|위|점|봉|개|가지|종목|등)"
)
_SPELLED = [
    # one numeral and its unit: 삼 퍼센트, 이배, 만원; 이 (this) is a numeral before a hard unit only
    re.compile(
        rf"{_START}(?:{_NUMERAL}\s?{_HARD_UNIT}|[일삼사오육칠팔구십백천]\s?(?:거래일|년|봉|주일|주간)"
        rf"|{_NUMERAL}월){_PARTICLE}"
    ),
    # several numerals, a place among them, and their unit: 칠만 이천 원
    re.compile(
        rf"{_START}(?!구조)(?={_NUMERAL}*\s?[{_DIGIT}]?[{_PLACE}]){_NUMERAL}{{2,}}(?:\s{_NUMERAL}+)*\s?{_UNIT}{_PARTICLE}"
    ),
    re.compile(rf"{_START}[삼사육칠팔구]만"),
    # a digit with its place: 이십, 삼백, 오천, 칠억
    re.compile(rf"{_START}[이삼사오육칠팔구][십백천억](?!화점|번|년대계)"),
    # places and digits in turn: 칠만이천, 만이천, 백오십
    re.compile(rf"{_START}[{_DIGIT}]?[{_PLACE}][{_DIGIT}][{_PLACE}]"),
    re.compile(rf"{_START}(?:십|백|천)[{_DIGIT}](?:{_PARTICLE}|[{_PLACE}])(?<!천이)(?<!백이)"),
    # native numerals with what they count: 두 배, 세 번째, 열흘
    re.compile(
        rf"{_START}(?:한|두|세|네|서너|두세|다섯|여섯|일곱|여덟|아홉|열|스무|스물|서른|마흔|쉰|예순|일흔|여든|아흔)"
        r"(?:한|두|세|네|다섯|여섯|일곱|여덟|아홉)?\s?"
        r"(?:배|번|차례|달|주|날|개|가지|거래일|종목|봉|시간|해|자릿|군데|건)"
    ),
    re.compile(
        rf"{_START}(?:하나|둘|셋|넷|다섯|여섯|일곱|여덟|아홉|열둘|스물|서른|사흘|나흘|닷새|엿새|이레|여드레|아흐레|"
        r"열흘|보름|이틀|하루|절반|반토막|갑절|곱절|첫째|둘째|셋째|두배|세배|수십|수백|수천|수만)"
    ),
]
_ENGLISH = re.compile(
    r"\b(?:zero|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|\w+teen|twenty|thirty|forty|fifty|"
    r"sixty|seventy|eighty|ninety|hundreds?|thousands?|millions?|billions?|trillions?|dozens?|half|halve[ds]?|"
    r"doubl(?:e|ed|es|ing)|twice|thrice|tripl(?:e|ed|es|ing)|quadrupl\w+|quarters?|thirds?|first|second|"
    r"(?:[ivx]{2,}|[ivxlc]{3,}))\b",
    re.IGNORECASE,
)


def has_number(text: str) -> bool:
    """Whether a text holds a digit of any script, a spelled number, or a sign that stands for one."""
    plain = unicodedata.normalize("NFKC", text)
    if any(_is_numeric(sign) for sign in (*text, *plain)):
        return True
    composed = unicodedata.normalize("NFC", "".join(sign for sign in plain if not _is_invisible(sign)))
    if _ENGLISH.search(composed):
        return True
    return any(pattern.search(composed) for pattern in _SPELLED)


def _is_numeric(sign: str) -> bool:
    """Whether a sign is a digit or numeral of any script: ３, ½, Ⅳ, ①, 三, 萬, ٣."""
    return unicodedata.numeric(sign, None) is not None or unicodedata.category(sign).startswith("N")


def _is_invisible(sign: str) -> bool:
    """Whether a sign has no picture: one could stand between the letters of a number."""
    return unicodedata.category(sign) in {"Cf", "Mn", "Me"} and not "\u1100" <= sign <= "\u11ff"
