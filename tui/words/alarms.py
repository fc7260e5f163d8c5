"""English and Korean: alarms that people set."""

from __future__ import annotations

WORDS = {
    "alerts.page.mine": ("my alarms", "내 알림"),
    "alarm.title": ("New alarm", "새 알림"),
    "alarm.examples": (
        (
            "005930 > 73000 · NAVER < 200000 · 005930 5% · 005930 -3% · 005930 volume 3x · "
            "005930 value 1000억 · screen NAME"
        ),
        (
            "삼성전자 > 73000 · 카카오 < 40000 · 삼성전자 5% · 삼성전자 -3% · 삼성전자 거래량 3배 · "
            "삼성전자 거래대금 1000억 · 조건 이름"
        ),
    ),
    "alarm.not_understood": (
        "Name one stock, and then what to wait for:",
        "종목 하나와 기다릴 조건을 적으세요.",
    ),
    "alarm.set": ("The alarm is set.", "알림을 걸었습니다."),
    "alarm.any": ("any stock", "모든 종목"),
    "alarm.screen": ("new in {name}", "{name} 편입"),
    "alarm.met": ("reached", "닿음"),
    "alarm.unmet": ("not reached", "아직"),
    "alarm.not_looked": ("not looked at yet", "아직 확인 전"),
    "alarm.unknown.no_price": ("no price is known", "가격을 모름"),
    "alarm.unknown.old_price": ("no newer price comes", "새 가격이 오지 않음"),
    "alarm.unknown.no_base": ("the base price is not known", "기준가를 모름"),
    "alarm.unknown.no_usual": ("its usual trading is not known", "평소 거래를 모름"),
    "alarm.unknown.unsettled": ("perhaps a split", "권리락·분할 확인 중"),
    "alarm.unknown.no_screen": ("the screen has not run", "조건이 아직 실행되지 않음"),
    "alarm.once": (
        "Each alarm fires once a session at most. A price alarm needs a crossing.",
        "알림은 한 거래일에 한 번 울립니다. 가격 알림은 기준을 넘을 때 울립니다.",
    ),
    "alarm.fired": ("fired {at}: {words}", "{at} 울림: {words}"),
    "alarm.by": ("set by {name}, {at}", "{at} {name} 설정"),
    "column.alarm": ("alarm", "조건"),
    "column.now": ("now", "지금"),
    "column.stands": ("stands", "상태"),
    "column.fired": ("fired", "울린 때"),
    "empty.alarms": ("No alarm is set. n sets one.", "건 알림이 없습니다. n으로 겁니다."),
    "ask.remove_alarm": ("Remove the alarm {words}?", "{words} 알림을 지웁니다."),
    "key.alarm": ("alarm", "알림 걸기"),
    "key.remove_alarm": ("remove", "지우기"),
}
