"""English and Korean: stocks and charts."""

from __future__ import annotations

WORDS = {
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
    "symbols.count": ("{shown} of {total} · by {order}", "{total}개 중 {shown}개 · {order}순"),
    "symbols.filter.all": ("market", "전체"),
    "symbols.filter.tracked": ("collected", "수집"),
    "symbols.filter.KOSPI": ("KOSPI", "코스피"),
    "symbols.filter.KOSDAQ": ("KOSDAQ", "코스닥"),
    "symbols.order.cap": ("market cap", "시가총액"),
    "symbols.order.name": ("name", "이름"),
    "symbols.order.symbol": ("symbol", "종목코드"),
    "symbols.order.price": ("last close", "전일 종가"),
    "search.hint": ("symbol, name or first consonants (ㅅㅅㅈㅈ)", "종목코드, 이름 또는 초성 (ㅅㅅㅈㅈ)"),
    "search.none": ("No stock is found.", "찾은 종목이 없습니다."),
    "search.title": ("Choose a stock", "종목 선택"),
}
