"""English and Korean: questions, forms and the palette."""

from __future__ import annotations

WORDS = {
    "ask.yes": ("Do it (y)", "실행 (y)"),
    "ask.no": ("Cancel (n)", "취소 (n)"),
    "ask.pause": (
        "Pause collecting? No new candles are read; when resumed, what is missing is read.",
        "수집을 일시정지합니다. 그동안 새 봉을 받지 않고, 다시 시작하면 빠진 봉을 받습니다.",
    ),
    "ask.resume": ("Resume collecting? What is missing is read.", "수집을 다시 시작하고 빠진 봉을 받습니다."),
    "ask.sync": ("Read the stock list of both markets?", "두 시장의 종목 목록을 받습니다."),
    "ask.acknowledge": (
        "Note that you know of this alert: {title}. It stays open until its cause is over.",
        "‘{title}’ 알림을 확인한 것으로 적습니다. 원인이 풀릴 때까지 알림은 남습니다.",
    ),
    "ask.silence": (
        "Send no alerts of this kind for an hour: {title}. They are still shown here.",
        "‘{title}’ 알림을 1시간 동안 보내지 않습니다. 여기에는 그대로 보입니다.",
    ),
    "ask.unsilence": (
        "Send alerts of this kind again: {title}.",
        "‘{title}’ 알림을 다시 보냅니다.",
    ),
    "ask.cancel": (
        "Cancel #{id} ({kind}) after this page? Candles that were read stay.",
        "#{id}({kind})을 이 페이지까지만 받고 중단합니다. 받은 봉은 남습니다.",
    ),
    "ask.track": (
        "Collect {name} ({symbol})? Its whole horizon is read.",
        "{name}({symbol})을(를) 수집합니다. 보관 기간 전체를 받습니다.",
    ),
    "ask.untrack": (
        "Stop collecting {name} ({symbol}) until it is added again? Its candles stay.",
        "{name}({symbol}) 수집을 다시 추가할 때까지 그만둡니다. 받은 봉은 남습니다.",
    ),
    "ask.retry": (
        "Ask Kiwoom now for {name} {timeframe} {day}? Only what is missing is read; equal candles stay.",
        "{name} {timeframe}봉 {day}을(를) 지금 조회합니다. 빠진 것만 받고, 저장된 봉은 같으면 그대로 둡니다.",
    ),
    "ask.verify": (
        "Verify {name} {timeframe}: read again from Kiwoom and compare; what differs is corrected.",
        "{name} {timeframe}봉을 키움에서 다시 읽어 비교합니다. 다른 값은 바로잡습니다.",
    ),
    "backfill.title": ("New backfill", "새 백필"),
    "backfill.symbols": ("symbols", "종목"),
    "backfill.search": ("search", "검색"),
    "backfill.timeframes": ("timeframes", "주기"),
    "backfill.from": ("from", "시작일"),
    "backfill.to": ("to", "종료일"),
    "backfill.from_hint": (
        "2026-01-31, -1y; empty: start of the horizon",
        "2026-01-31, -1y; 비우면 보관 기간 처음",
    ),
    "backfill.to_hint": ("2026-01-31; empty: today", "2026-01-31; 비우면 오늘"),
    "backfill.none_chosen": ("none; Enter takes the one marked below", "없음; 아래에서 Enter로 고릅니다"),
    "backfill.cancel": ("Close", "닫기"),
    "backfill.start": ("Start (^s)", "시작 (^s)"),
    "backfill.no_symbol": ("Choose at least one symbol.", "종목을 하나 이상 고르세요."),
    "backfill.bad_day": (
        "A day is written 2026-01-31, 01-31 or -1y.",
        "날짜는 2026-01-31, 01-31, -1y처럼 씁니다.",
    ),
    "backfill.backwards": ("The first day is after the last.", "시작일이 종료일보다 늦습니다."),
    "backfill.asking": ("Asking for the cost …", "비용을 묻는 중 …"),
    "backfill.nothing": ("Nothing is missing in this range.", "이 기간에는 누락이 없습니다."),
    "backfill.cost": (
        "{requests} requests ({lanes}), about {time}\n{series} series, {covered} complete already",
        "요청 {requests}회 ({lanes}), 약 {time}\n시리즈 {series}개, 이미 완전한 것 {covered}개",
    ),
    "palette.show": ("Show this screen", "이 화면 보기"),
    "palette.theme": ("Theme: {name}", "테마: {name}"),
    "palette.theme_help": ("Change the colours", "색 바꾸기"),
    "palette.swap_colours": ("Colours of rise and fall", "상승·하락 색"),
    "palette.swap_colours_help": ("Red for rise, or green", "상승을 빨강 또는 초록으로"),
    "palette.copy": ("Copy", "복사"),
    "palette.copy_help": ("What is shown, to the clipboard (OSC 52)", "표시 중인 것을 클립보드로 (OSC 52)"),
    "palette.export": ("Export this screen", "이 화면 내보내기"),
    "palette.export_help": ("To a file: CSV, text and SVG", "파일로: CSV, 텍스트, SVG"),
    "palette.keys": ("Keys", "키"),
    "palette.keys_help": ("All keys of this screen", "이 화면의 모든 키"),
    "palette.backfill": ("New backfill", "새 백필"),
    "palette.backfill_help": (
        "Fetch what is missing; shows the cost first",
        "누락된 것 받기; 비용을 먼저 표시",
    ),
    "palette.pause": ("Pause or resume collecting", "수집 일시정지·다시 시작"),
    "palette.pause_help": ("Asks first", "먼저 묻습니다"),
    "palette.sync": ("Read the stock list", "종목 목록 받기"),
    "palette.sync_help": ("Of both markets; asks first", "두 시장; 먼저 묻습니다"),
    "palette.quit": ("Quit", "나가기"),
    "palette.quit_help": ("The daemon keeps running", "수집기는 계속 동작합니다"),
    "palette.hint": (
        "stock (name, code, ㅅㅅㅈㅈ), timeframe, #job, day, screen, command",
        "종목(이름·코드·초성 ㅅㅅㅈㅈ), 주기, #작업, 날짜, 화면, 명령",
    ),
    "palette.read_again": ("Read again", "새로 읽기"),
    "palette.read_again_help": ("Ask the daemon for everything shown", "표시 중인 것을 모두 다시 묻기"),
    "theme.dark": ("dark", "어두움"),
    "theme.light": ("light", "밝음"),
    "theme.contrast": ("high contrast", "고대비"),
    "theme.colour-blind": ("colour-blind safe", "색각 배려"),
}
