"""English and Korean: stocks and charts."""

from __future__ import annotations

WORDS = {
    "chart.confirmed": ("{name}, known at the close of {at}", "{name}, {at} 종가에 확인"),
    "chart.trend": ("{trend} since {since}", "{trend} 추세 · {since}부터"),
    "point.primary.peak": ("primary peak", "주요 고점"),
    "point.secondary.peak": ("peak", "고점"),
    "point.primary.valley": ("primary valley", "주요 저점"),
    "point.secondary.valley": ("valley", "저점"),
    "trend.up": ("up", "상승"),
    "trend.down": ("down", "하락"),
    "trend.sideways": ("sideways", "횡보"),
    "venue.nxt": ("NXT", "NXT"),
    "venue.unified": ("KRX + NXT", "통합(KRX + NXT)"),
    "chart.raw": ("as traded", "원주가"),
    "chart.adjusted": ("adjusted", "수정주가"),
    "chart.forming": ("forming", "진행봉"),
    "chart.o": ("O", "시"),
    "chart.h": ("H", "고"),
    "chart.l": ("L", "저"),
    "chart.c": ("C", "종"),
    "chart.v": ("V", "거래량"),
    "chart.pick_first": ("/ chooses a stock.", "/로 종목을 고르세요."),
    "chart.not_final": ("not final", "확정 전"),
    "chart.unconfirmed": ("unconfirmed", "미확정"),
    "search.hint": ("symbol, name or first consonants (ㅅㅅㅈㅈ)", "종목코드, 이름 또는 초성 (ㅅㅅㅈㅈ)"),
    "search.none": ("No stock is found.", "찾은 종목이 없습니다."),
    "search.title": ("Choose a stock", "종목 선택"),
}
