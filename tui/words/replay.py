"""English and Korean: the frozen screen and the replay."""

from __future__ import annotations

WORDS = {
    "palette.freeze": ("Freeze the screen", "화면 정지"),
    "palette.freeze_help": ("and look back from there", "멈춘 곳에서 되감기"),
    "palette.replay": ("Replay", "다시보기"),
    "palette.replay_help": ("any moment of the last month", "지난 한 달의 어느 시각이든"),
    "frozen.badge": ("FROZEN", "화면 정지"),
    "frozen.facts": (
        "as of {at} · for {time} · {count} changes since",
        "{at}에 멈춤 · {time}째 · 그사이 바뀐 것 {count}",
    ),
    "frozen.now": ("now {state}", "지금은 {state}"),
    "frozen.go_on": ("go on", "계속"),
    "replay.badge": ("REPLAY", "다시보기"),
    "replay.top": ("THEN", "그때"),
    "replay.then": ("{at} then {state}: {facts}", "{at} 그때 {state}: {facts}"),
    "replay.unknown": ("{at} unknown: nothing was recorded", "{at} 모름: 기록이 없음"),
    "replay.reading": ("{at} · reading", "{at} · 읽는 중"),
    "replay.now": ("now {state}", "지금은 {state}"),
    "replay.no_record": (
        "Nothing was recorded at this time, so how things were is not known.",
        "이 시각의 기록이 없어 그때 상태를 알 수 없습니다.",
    ),
    "replay.known_until": ("Known until {at}.", "{at}까지 기록이 있습니다."),
    "replay.known_from": ("Known again from {at}.", "{at}부터 다시 기록이 있습니다."),
    "replay.not_kept": (
        "This screen is not recorded: 1 home, 6 jobs, 7 alerts are.",
        "이 화면은 기록하지 않습니다. 1 개요, 6 작업, 7 알림을 볼 수 있습니다.",
    ),
    "replay.day": ("{day} · {count} events", "{day} · 이벤트 {count}"),
    "replay.playing": ("▶ ×{speed}", "▶ ×{speed}"),
    "replay.standing": ("‖ ×{speed}", "‖ ×{speed}"),
    "replay.stretch": ("{since}–{until}  {state}  {causes}", "{since}–{until}  {state}  {causes}"),
    "replay.no_more": ("Nothing lies in the future.", "앞으로의 일은 볼 수 없습니다."),
    "replay.no_event": ("No further event on this day.", "이 날에는 다른 이벤트가 없습니다."),
    "replay.to": ("Time, such as 20:00 or 11-18 20:00", "시각: 20:00 또는 11-18 20:00"),
    "replay.wrong_time": (
        "{text} is no time such as 20:00 or 11-18 20:00.",
        "{text}: 20:00이나 11-18 20:00처럼 쓰세요.",
    ),
}
