"""A sentence of a model may hold no number, in any script or word."""

from __future__ import annotations

import pytest

from chartinsightd.notes.numbers import has_number

NUMBERS = """\
칠만 이천 원까지|삼 퍼센트 올랐다|두 배로 늘었다|만원대|칠만이천원|이십 퍼센트|세 번째 고점|절반
여덟 번|오천원|약 삼 조원|팔만전자 회복|일주일 만에|rose five percent|doubled|III|①|三|½|٣|３
이틀 연속|십오 퍼센트|백오십원|삼십오만원|수십 퍼센트|한 달 동안|오 퍼센트를|사흘째|a hundred
칠\u200b만 원|칠 만 원|만 이천 원|영점 오 퍼센트|이백만 주|삼 개월|72,300|1.3%|七萬|Ⅳ|𝟝"""
WORDS = """\
거래일이 이어졌습니다|고점과 저점 사이에서|구조가 바뀌었습니다|구조 개선|일부 매물|이 원인은
강한 주가|하락한 주식|이 배경에는|만약 넥라인을 넘으면|조만간|이사회|천천히 상승|사상 최고가
이 종목은 상승 추세입니다|만만치 않은|백화점|오후|이만|영업|육박했습니다|구간|팔았다|공시
사자 우위|이번 주 흐름|한편|일단|상승세를 이어가는 모양입니다|the trend is up|someone|조정|조건
억제|만들었습니다|일시적인|이전 고점|천장|백분율|이 봉은|이 거래일에|원화"""


@pytest.mark.parametrize("text", NUMBERS.replace("\n", "|").split("|"))
def test_a_number_is_seen_in_any_form(text: str) -> None:
    """Digits of all scripts, Roman and Chinese numerals, and spelled numbers are numbers."""
    assert has_number(text)


@pytest.mark.parametrize("text", WORDS.replace("\n", "|").split("|"))
def test_words_that_look_like_numerals_are_words(text: str) -> None:
    """Syllables that are numerals elsewhere do not make an ordinary word a number."""
    assert not has_number(text)
