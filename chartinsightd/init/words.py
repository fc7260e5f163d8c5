"""Every text of `chartinsightd init`, in English and in Korean."""

from __future__ import annotations

from collections.abc import Mapping

from chartinsightd.domain.language import Language

Texts = Mapping[str, tuple[str, str]]
_TEXTS: Texts = {
    "ask.environment": (
        "Which servers? simulation (a simulator of this machine), mock (모의투자), live (실전투자)",
        "어느 서버에 연결할까요? simulation(이 컴퓨터의 시뮬레이터), mock(모의투자), live(실전투자)",
    ),
    "ask.simulator": ("Address of the simulator", "시뮬레이터 주소"),
    "ask.app_key": ("App key of {host} (not shown)", "{host} 앱 키(App Key, 화면에 표시되지 않음)"),
    "ask.secret_key": (
        "Secret key of {host} (not shown)",
        "{host} 시크릿 키(Secret Key, 화면에 표시되지 않음)",
    ),
    "ask.keep_keys": (
        "Keys are stored already ({place}). Keep them?",
        "저장된 키가 있습니다({place}). 그대로 쓸까요?",
    ),
    "ask.symbols": (
        "Stocks in all timeframes: codes or names with commas; empty: the thirty target stocks",
        "모든 주기로 모을 종목: 코드나 이름을 쉼표로 구분, 비우면 기본 30종목",
    ),
    "ask.universe": (
        "Beside them, in days and weeks: large (1,000억 won and more), all (whole market), none",
        "그 밖에 일봉·주봉으로 모을 종목: large(시가총액 1,000억 원 이상), all(전 종목), none(없음)",
    ),
    "ask.horizon": (
        "How far back: max, 20d, 6m, 1y, or by timeframe 5m=6m,1d=max",
        "수집 기간: max, 20d, 6m, 1y 또는 주기별로 5m=6m,1d=max",
    ),
    "ask.write": ("Write it?", "이대로 저장할까요?"),
    "ask.overwrite": ("This replaces what is there. Write it?", "기존 내용이 바뀝니다. 저장할까요?"),
    "host.mock": ("모의투자", "모의투자"),
    "host.live": ("실전투자", "실전투자"),
    "host.simulation": ("the simulator", "시뮬레이터"),
    "refused.environment": (
        "{given!r} is none of simulation, mock, live.",
        "{given!r}: simulation, mock, live 중 하나를 입력하세요.",
    ),
    "refused.universe": (
        "{given!r} is none of large, all, none.",
        "{given!r}: large, all, none 중 하나를 입력하세요.",
    ),
    "refused.simulator": (
        "{given!r} is no address; one looks like http://127.0.0.1:8500.",
        "{given!r}: 주소가 아닙니다. http://127.0.0.1:8500 처럼 입력하세요.",
    ),
    "refused.symbol": (
        (
            "{given!r} is neither a stock code (six digits or capital letters, as in 005930) nor the name of "
            "a target stock."
        ),
        "{given!r}: 종목 코드(005930처럼 숫자나 대문자 여섯 자리)도, 기본 종목의 이름도 아닙니다.",
    ),
    "refused.symbol_near": (
        "{given!r} is no stock code and no target stock. Did you mean {near}?",
        "{given!r}: 종목 코드도 기본 종목도 아닙니다. 혹시 {near}인가요?",
    ),
    "refused.horizon": (
        "{given!r} is no horizon: max, 20d, 6m, 1y, or by timeframe 5m=6m,1d=max (5m 30m 1h 1d 1w).",
        "{given!r}: 기간이 아닙니다. max, 20d, 6m, 1y 또는 5m=6m,1d=max(5m 30m 1h 1d 1w)처럼 입력하세요.",
    ),
    "refused.key": (
        "That is no key: one line of at least 8 letters and digits ({length} characters were given).",
        "키가 아닙니다. 영문자와 숫자 8자 이상 한 줄이어야 합니다({length}자를 받았습니다).",
    ),
    "refused.key_file": ("{path} cannot be read: {why}.", "{path}: 읽을 수 없습니다({why})."),
    "refused.file": ("{path} cannot be written: {why}.", "{path}: 쓸 수 없습니다({why})."),
    "remedy.file": (
        "Run it as a user who may write there (sudo), or name another file with --config.",
        "그곳에 쓸 수 있는 사용자로(sudo) 실행하거나 --config로 다른 파일을 지정하세요.",
    ),
    "missing.environment": (
        "Without a terminal, --environment is needed: simulation, mock or live.",
        "터미널이 없으면 --environment가 필요합니다: simulation, mock, live.",
    ),
    "missing.keys": (
        (
            "Without a terminal, keys come from --app-key-file and --secret-key-file, or from "
            "CHARTINSIGHT_KIWOOM__APP_KEY and CHARTINSIGHT_KIWOOM__SECRET_KEY."
        ),
        (
            "터미널이 없으면 --app-key-file과 --secret-key-file, 또는 환경 변수 "
            "CHARTINSIGHT_KIWOOM__APP_KEY와 CHARTINSIGHT_KIWOOM__SECRET_KEY로 키를 주어야 합니다."
        ),
    ),
    "missing.yes": (
        "Something is there already and would be changed. --yes changes it.",
        "이미 있는 파일이 바뀝니다. 그래도 진행하려면 --yes를 붙이세요.",
    ),
    "plan.new": ("new        {path}", "새 파일    {path}"),
    "plan.changed": ("changed    {path}", "변경       {path}"),
    "plan.same": ("unchanged  {path}", "그대로     {path}"),
    "done.nothing": ("Nothing was written.", "아무것도 쓰지 않았습니다."),
    "done.written": (
        "Written. Now `chartinsightd check`:",
        "저장했습니다. 이제 `chartinsightd check`를 실행합니다:",
    ),
    "done.unchecked": ("Written, not checked.", "저장했습니다. 확인은 하지 않았습니다."),
    "next.failed": (
        "Fix what is marked FAIL, then check again: {command} check",
        "FAIL로 표시된 것을 고친 뒤 다시 확인하세요: {command} check",
    ),
    "next.title": ("Start it:", "시작하기:"),
    "next.foreground": ("  by hand        {command}", "  직접           {command}"),
    "next.service": ("  under systemd  {command}", "  systemd로      {command}"),
    "next.look": ("  look at it     {command}", "  살펴보기       {command}"),
    "next.learn": (
        "  on the first day, between 09:30 and 15:00: {command} check --learn",
        "  첫 거래일 09:30~15:00에 한 번: {command} check --learn",
    ),
}
LANGUAGES: Mapping[Language, int] = {"en": 0, "ko": 1}


class Words:
    """The texts of one language.

    Args:
        language: which.
    """

    def __init__(self, language: Language) -> None:
        self._place = LANGUAGES[language]

    def put(self, key: str, **values: object) -> str:
        """Return a text with values in its places."""
        return _TEXTS[key][self._place].format(**values)
