"""English and Korean: the hints of the first minute."""

from __future__ import annotations

WORDS = {
    "hints.title": ("New here? Five keys.", "처음이신가요? 키 다섯 개면 됩니다."),
    "hints.symbols": ("see prices move", "움직이는 시세 보기"),
    "hints.symbols.more": ("your watchlist, at this second", "관심종목의 지금"),
    "hints.palette": ("go anywhere by name", "어디로든 바로 가기"),
    "hints.palette.more": ("삼성 5  ㅅㅅㅈㅈ  005930  #38  11-16", "삼성 5  ㅅㅅㅈㅈ  005930  #38  11-16"),
    "hints.chart": ("the chart: ← → crosshair", "차트에서 ← → 십자선"),
    "hints.chart.more": ("e tells how that candle came", "e를 누르면 그 봉이 어떻게 왔는지"),
    "hints.coverage": ("what is there, what is missing", "수집률과 누락 확인"),
    "hints.coverage.more": ("? is not known: green is proved", "?는 ‘모름’: 초록은 확인된 것만"),
    "hints.replay": ("freeze; then , goes back in time", "화면 정지, 이어 ,로 다시보기"),
    "hints.replay.more": ("every evening of the last month", "지난 한 달의 어느 때나"),
    "hints.own_key": ("With a key of your own: chartinsightd init", "내 키로 시작하기: chartinsightd init"),
    "hints.end": ("Esc closes · again by :first", "Esc 닫기 · 다시 보려면 :처음"),
}
