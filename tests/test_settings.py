"""Settings: complete, typos refused, every mistake told with its place."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import SecretStr, ValidationError

from chartinsightd.domain.errors import ConfigurationError
from chartinsightd.domain.timeframe import Timeframe
from chartinsightd.facts.targets import TARGETS
from chartinsightd.resources import default_config
from chartinsightd.settings.ai import AiSettings
from chartinsightd.settings.kiwoom import KiwoomSettings
from chartinsightd.settings.loading import load_settings
from chartinsightd.settings.model import Settings
from chartinsightd.settings.schema import config_schema


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Neither the person's settings nor their files take part."""
    for name in list(os.environ):
        if name.upper().startswith("CHARTINSIGHT_") or name in {"STATE_DIRECTORY", "CREDENTIALS_DIRECTORY"}:
            monkeypatch.delenv(name)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "none"))


def refused(tmp_path: Path, text: str) -> str:
    """Return what is said of a settings file."""
    file = tmp_path / "config.toml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigurationError) as caught:
        load_settings(file)
    return str(caught.value).replace(str(tmp_path), "")


def test_the_shipped_file_holds_the_defaults(tmp_path: Path) -> None:
    """`config.toml` at the top of the repository changes nothing: it says what is so anyway."""
    file = tmp_path / "config.toml"
    file.write_text(default_config(), encoding="utf-8")

    assert load_settings(file) == Settings()


def test_the_shipped_file_shows_every_setting() -> None:
    """A person who reads it knows all there is, secrets aside."""
    text = default_config()
    keys = {key for name in Settings.model_fields for key in _keys(name)} - {"app_key", "secret_key"}

    assert [key for key in sorted(keys) if key not in text] == []


def _keys(section: str) -> set[str]:
    fields = getattr(Settings.model_fields[section].annotation, "model_fields", {})
    return {section, *fields}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[kiwoom]\nfoo = 1", "/config.toml, line 2: kiwoom.foo: no such setting"),
        ("stat_dir = '/x'", "/config.toml, line 1: stat_dir: no such setting"),
        ("[collect]\n\n[collect.horizon]\n'5m' = '3x'", "line 4: collect.horizon.5m: '3x' is not a horizon."),
        ("[collect]\nsymbols = ['5930']", "line 2: collect.symbols: '5930' is not a Kiwoom stock code"),
        ("[collect]\nfold = ['1d']", "line 2: collect.fold: Input should be"),
        ("mode = 'simulation'", "mode simulation needs kiwoom.base_url"),
        ("[clock]\nspeed = 60.0", "clock is for mode simulation"),
        ("[collect", "not valid TOML"),
        ("[kiwoom]\nsecret_key = 'x'", "line 2: kiwoom.secret_key does not belong in a file."),
        ("[database]\ndsn = 5", "line 2: database.dsn: Input should be a valid string"),
        ("[log]\nlevel = 'loud'", "line 2: log.level: Input should be 'debug'"),
    ],
)
def test_a_mistake_is_told_with_its_key_and_line(tmp_path: Path, text: str, words: str) -> None:
    """The person knows where to look, and what is wrong."""
    assert words in refused(tmp_path, text)


TWO_ACCOUNTS = "[[kiwoom.accounts]]\nname = 'second'\n[[kiwoom.accounts]]\nname = 'third'\n"


def test_accounts_get_their_keys_from_credentials(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The file names the accounts, systemd hands over their keys; as JSON the environment does both."""
    file = tmp_path / "config.toml"
    file.write_text(TWO_ACCOUNTS, encoding="utf-8")
    (tmp_path / "kiwoom_second_app_key").write_text("two\n", encoding="utf-8")
    (tmp_path / "kiwoom_third_secret_key").write_text("drei", encoding="utf-8")
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))

    second, third = load_settings(file).kiwoom.accounts

    assert (second.name, second.app_key.get_secret_value()) == ("second", "two")
    assert (third.app_key.get_secret_value(), third.secret_key.get_secret_value()) == ("", "drei")
    monkeypatch.setenv(
        "CHARTINSIGHT_KIWOOM__ACCOUNTS", '[{"name": "fourth", "app_key": "a", "secret_key": "b"}]'
    )
    settings = load_settings(file)
    assert [one.name for one in settings.kiwoom.accounts] == ["fourth"]
    assert {"a", "b"} <= set(settings.secrets())


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[[kiwoom.accounts]]\nname = 'main'", "main is taken"),
        ("[[kiwoom.accounts]]\nname = 'x'\n[[kiwoom.accounts]]\nname = 'x'", "a name of its own"),
        ("[[kiwoom.accounts]]\nname = '../x'", "kiwoom.accounts.name: String should match"),
        ("[[kiwoom.accounts]]\nname = 'x'\napp_key = 'hunter2'", "line 3: kiwoom.accounts.app_key does not"),
        ("[kiwoom]\naccounts = 'hunter2'", "line 2: kiwoom.accounts: Input should be a valid tuple"),
    ],
)
def test_a_mistake_in_an_account_is_told_without_its_key(tmp_path: Path, text: str, words: str) -> None:
    """Names are checked, since files are called by them; no message repeats what may be a key."""
    told = refused(tmp_path, text)
    assert words in told
    assert "hunter2" not in told


def test_the_same_key_twice_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Two accounts with one key would send twice as much as its limit allows."""
    file = tmp_path / "config.toml"
    file.write_text("", encoding="utf-8")
    monkeypatch.setenv("CHARTINSIGHT_KIWOOM__APP_KEY", "a")
    monkeypatch.setenv("CHARTINSIGHT_KIWOOM__ACCOUNTS", '[{"name": "x", "app_key": "a", "secret_key": "b"}]')
    with pytest.raises(ConfigurationError, match="the same app key"):
        load_settings(file)


def test_a_value_that_may_be_secret_is_not_repeated(tmp_path: Path) -> None:
    """What stands in the place of a password is not printed."""
    assert "hunter2" not in refused(tmp_path, "[database]\ndsn = ['hunter2']")
    assert "hunter2" not in refused(tmp_path, "[kiwoom]\napp_key = 'hunter2'")


def test_the_environment_wins_and_lists_are_json(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A variable overrides the file."""
    file = tmp_path / "config.toml"
    file.write_text("[collect]\nsymbols = ['005930']\ntimeframes = ['5m']", encoding="utf-8")
    monkeypatch.setenv("CHARTINSIGHT_COLLECT__SYMBOLS", '["000660", "0126Z0"]')

    collect = load_settings(file).collect

    assert collect.symbols == ("000660", "0126Z0")
    assert collect.timeframes == (Timeframe.M5,)


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("CHARTINSIGHT_COLLECT__SYMBOLS", "005930", "CHARTINSIGHT_COLLECT__SYMBOLS ('005930'): lists"),
        ("CHARTINSIGHT_UNIVERSE__TIMEFRAMES", "1d", "CHARTINSIGHT_UNIVERSE__TIMEFRAMES ('1d'): lists"),
        ("CHARTINSIGHT_KIWOM__APP_KEY", "x", "CHARTINSIGHT_KIWOM__APP_KEY: no such setting"),
        ("CHARTINSIGHT_KIWOOM__KEY", "x", "CHARTINSIGHT_KIWOOM__KEY: kiwoom.key: no such setting"),
    ],
)
def test_a_wrong_variable_is_named(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, words: str
) -> None:
    """Also a misspelt variable is an error, not silence."""
    monkeypatch.setenv(name, value)

    with pytest.raises(ConfigurationError, match=r"CHARTINSIGHT_") as caught:
        load_settings()

    assert words in str(caught.value)


@pytest.mark.parametrize(
    ("text", "new"),
    [("universe = 'market_cap'", "universe.enabled"), ("min_market_cap = 0", "universe.min_market_cap")],
)
def test_a_renamed_setting_names_the_new_one(tmp_path: Path, text: str, new: str) -> None:
    """A file of an earlier version is refused with the line, and the remedy says what to set now."""
    file = tmp_path / "config.toml"
    file.write_text(f"[collect]\n{text}\n", encoding="utf-8")

    with pytest.raises(ConfigurationError, match=r"line 2: collect\.\w+: no such setting") as caught:
        load_settings(file)

    assert new in caught.value.remedy


def test_a_universe_horizon_names_what_differs(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a table leaves out stays one request long."""
    monkeypatch.setenv("CHARTINSIGHT_UNIVERSE__HORIZON", '{"1w": "3y"}')

    horizons = load_settings().universe.horizons

    assert (str(horizons[Timeframe.D1]), str(horizons[Timeframe.W1])) == ("2y", "3y")


def test_credentials_bring_the_keys(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """systemd's files are read, without their last newline; a variable wins over them."""
    (tmp_path / "kiwoom_app_key").write_text("key-from-file\n")
    (tmp_path / "kiwoom_secret_key").write_text("secret-from-file\n")
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    monkeypatch.setenv("CHARTINSIGHT_KIWOOM__SECRET_KEY", "secret-from-variable")

    kiwoom = load_settings().kiwoom

    assert kiwoom.app_key.get_secret_value() == "key-from-file"
    assert kiwoom.secret_key.get_secret_value() == "secret-from-variable"


@pytest.mark.parametrize("key", ["slack_webhook", "smtp_password", "apprise_urls"])
def test_where_alerts_go_is_a_secret(tmp_path: Path, key: str) -> None:
    """A webhook, a password and apprise URLs are refused in the file, without being quoted."""
    config = tmp_path / "config.toml"
    config.write_text(f'[alerts]\n{key} = "https://the-secret"\n', encoding="utf-8")
    with pytest.raises(ConfigurationError, match=f"line 2: alerts.{key} does not belong in a file") as caught:
        load_settings(config)
    assert f"alerts_{key}" in caught.value.remedy
    assert "the-secret" not in str(caught.value)


def test_credentials_say_where_alerts_go(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A file holds one apprise URL a line; everything that is secret is named to whoever hides it."""
    (tmp_path / "alerts_slack_webhook").write_text("https://hooks.slack.com/services/T/B/x\n")
    (tmp_path / "alerts_apprise_urls").write_text("tgram://token/chat\nntfy://topic\n")
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    monkeypatch.setenv("CHARTINSIGHT_DATABASE__DSN", "postgresql://me:the-password@host/db")

    settings = load_settings()

    assert [url.get_secret_value() for url in settings.alerts.apprise_urls] == [
        "tgram://token/chat",
        "ntfy://topic",
    ]
    assert {"services/T/B/x", "tgram://token/chat", "the-password"} <= set(settings.secrets())


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("CHARTINSIGHT_ALERTS__APPRISE_URLS", "tgram://the-secret"),
        ("CHARTINSIGHT_ALERTS__APPRISE_URLS", '{"a": "the-secret"}'),
        ("CHARTINSIGHT_ALERTS", '{"slack_webhook": ["the-secret"]}'),
        ("CHARTINSIGHT_ALERTS", '["the-secret"]'),
    ],
)
def test_a_wrong_secret_is_not_quoted(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    """However a secret is misplaced, the message names the variable alone."""
    monkeypatch.setenv(name, value)
    with pytest.raises(ConfigurationError) as caught:
        load_settings()
    assert "the-secret" not in str(caught.value)


def test_mail_needs_addresses(monkeypatch: pytest.MonkeyPatch) -> None:
    """A server alone sends nothing."""
    monkeypatch.setenv("CHARTINSIGHT_ALERTS__SMTP_HOST", "localhost")
    with pytest.raises(ConfigurationError, match="mail_from and mail_to"):
        load_settings()


def test_secrets_do_not_show(monkeypatch: pytest.MonkeyPatch) -> None:
    """Settings can be printed."""
    monkeypatch.setenv("CHARTINSIGHT_KIWOOM__APP_KEY", "the-key-itself")
    monkeypatch.setenv("CHARTINSIGHT_DATABASE__DSN", "postgresql://me:the-password@host/db")

    shown = repr(load_settings())

    assert "the-key-itself" not in shown
    assert "the-password" not in shown


def test_paper_trading_is_a_fifth_as_fast(monkeypatch: pytest.MonkeyPatch) -> None:
    """The pace follows the environment (kiwoom.md#rate-limit), unless it is set."""
    assert load_settings().kiwoom.pace == 5
    monkeypatch.setenv("CHARTINSIGHT_KIWOOM__ENVIRONMENT", "paper")
    assert load_settings().kiwoom.pace == 1
    assert load_settings().kiwoom.rest_url == "https://mockapi.kiwoom.com"


def test_one_horizon_stands_for_all_and_a_table_for_some(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a table does not name stays `max`."""
    monkeypatch.setenv("CHARTINSIGHT_COLLECT__HORIZON", '{"5m": "20d"}')

    horizons = load_settings().collect.horizons

    assert {timeframe: str(horizon) for timeframe, horizon in horizons.items()} == {
        "5m": "20d",
        "30m": "max",
        "1h": "max",
        "1d": "max",
        "1w": "max",
    }


def test_thirty_targets_by_default() -> None:
    """The thirty target stocks are tracked when nothing is said."""
    assert load_settings().collect.symbols == tuple(TARGETS)
    assert len(TARGETS) == 30


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=200)
@given(text=st.text(max_size=200))
def test_any_file_is_read_or_refused(tmp_path: Path, text: str) -> None:
    """No text crashes the daemon: it is settings, or a refusal in words."""
    file = tmp_path / "any.toml"
    file.write_text(text, encoding="utf-8", errors="replace", newline="")
    with contextlib.suppress(ConfigurationError):
        load_settings(file)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=200)
@given(
    section=st.sampled_from(["kiwoom", "database", "collect", "clock", "control", "log"]),
    data=st.data(),
)
def test_any_value_is_taken_or_refused(tmp_path: Path, section: str, data: st.DataObject) -> None:
    """Whatever stands where a value belongs, the answer is settings or words."""
    keys = sorted(_keys(section) - {section, "app_key", "secret_key"})
    key = data.draw(st.sampled_from(keys))
    value = data.draw(
        st.integers() | st.booleans() | st.text("abcxyz/:-09", max_size=30) | st.lists(st.text("ab9"))
    )
    file = tmp_path / "any.toml"
    file.write_text(f"[{section}]\n{key} = {json.dumps(value)}", encoding="utf-8")
    with contextlib.suppress(ConfigurationError):
        load_settings(file)


HOSTILE_VALUES = st.sampled_from(
    [
        *('""', "''", "-1", "0", "1e999", "nan", "inf", "true", "[]", "{}", "[[]]", "{a = 1}", "07:30:00"),
        *("2026-11-20", "9223372036854775808", '"\\u0000"', '"x"', "[1]", '["005930", "005930"]', "", "="),
        *('"max"', '"1000000000d"', '"postgresql://"', '"http://"', '"/"', '"../.."', '"""', "1_0", "0x1F"),
    ]
)


@st.composite
def spoilt_files(draw: st.DrawFn) -> str:
    """Draw the shipped file with its settings switched on and a few of its lines spoilt."""
    lines = [line.removeprefix("# ") if " = " in line else line for line in default_config().splitlines()]
    for _ in range(draw(st.integers(1, 3))):
        place = draw(st.integers(0, len(lines) - 1))
        key, sign, _ = lines[place].partition(" = ")
        spoil = draw(st.sampled_from(["value", "double", "cut", "key", "drop", "section"]))
        match spoil:
            case "value" if sign:
                lines[place] = f"{key} = {draw(HOSTILE_VALUES)}"
            case "double":
                lines.insert(place, lines[place])
            case "cut":
                lines[place] = lines[place][: draw(st.integers(0, 20))]
            case "key":
                lines[place] = f"{draw(st.text('abc_.-[]#', max_size=8))} = 1"
            case "section":
                lines.insert(
                    place, draw(st.sampled_from(["[kiwoom]", "[[collect]]", "[x]", "[collect.horizon]"]))
                )
            case _:
                del lines[place]
    return "\n".join(lines)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(text=spoilt_files())
def test_a_spoilt_file_is_read_or_refused_by_name(tmp_path: Path, text: str) -> None:
    """The shipped file with mistakes in it: settings, or a refusal that names the file."""
    file = tmp_path / "any.toml"
    file.write_text(text, encoding="utf-8")
    try:
        load_settings(file)
    except ConfigurationError as error:
        said = str(error)
        assert str(file) in said


SECTION_KEYS = sorted(
    (section, key)
    for section, field in Settings.model_fields.items()
    for key in getattr(field.annotation, "model_fields", {})
)


@settings(max_examples=100)
@given(
    place=st.sampled_from(SECTION_KEYS),
    value=st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=12)
    | st.sampled_from(["", "[]", "{}", "null", "[1]", '{"5m": 1}', "-1", "1e999", "9" * 5000, "nan", "true"]),
)
def test_any_variable_is_taken_or_refused_by_name(place: tuple[str, str], value: str) -> None:
    """Whatever stands in the environment: settings, or a refusal that names the variable or the key."""
    variable = f"CHARTINSIGHT_{place[0]}__{place[1]}".upper()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(variable, value)
        try:
            load_settings()
        except ConfigurationError as error:
            said = str(error)
        else:
            return
    assert variable in said or place[0] in said
    assert place[1] not in {"app_key", "secret_key", "dsn"} or len(value) < 6 or value not in said


@pytest.mark.parametrize(
    ("given", "url"),
    [
        ({}, "wss://api.kiwoom.com:10000/api/dostk/websocket"),
        ({"environment": "paper"}, "wss://mockapi.kiwoom.com:10000/api/dostk/websocket"),
        ({"websocket_url": "ws://here/socket"}, "ws://here/socket"),
        ({"base_url": "http://here"}, ""),
        ({"base_url": "http://here", "websocket_url": "ws://here/socket"}, "ws://here/socket"),
    ],
)
def test_the_stream_is_never_another_host_than_the_rest(given: dict[str, str], url: str) -> None:
    """The environment's, unless set; a REST host that is set alone leaves it off."""
    assert KiwoomSettings.model_validate(given).socket_url == url


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("[universe]\nmin_market_cap = " + "9" * 5000, ""),
        ("[universe]\nmin_market_cap = " + "9" * 30, "universe.min_market_cap"),
        ("mode = " + "[" * 20_000 + "]" * 20_000, ""),
        ('state_dir = "/tmp/a\\u0000b"', "state_dir"),
        ('state_dir = ""', "state_dir"),
        ('[control]\nsocket = "/tmp/a\\u0000b"', "control.socket"),
        ('[control]\nsocket = ""', "control.socket"),
        ('[collect]\ncalendar_overrides = "/tmp/a\\u0000b"', "collect.calendar_overrides"),
        ('[kiwoom]\nuser_agent = "curl/8\\r\\nX-Evil: 1"', "kiwoom.user_agent"),
        ('[kiwoom]\nuser_agent = "키움"', "kiwoom.user_agent"),
        ('[kiwoom]\nbase_url = "127.0.0.1:1"', "kiwoom.base_url"),
        ('[kiwoom]\nbase_url = "http://127.0.0.1:99999"', "kiwoom.base_url"),
        ('[kiwoom]\nbase_url = "ftp://127.0.0.1/"', "kiwoom.base_url"),
        ('[kiwoom]\nbase_url = "http://"', "kiwoom.base_url"),
        ('[kiwoom]\nbase_url = "https://key@example.com"', "kiwoom.base_url"),
        ("[clock]\nstart = 9999-12-31T23:59:59+00:00", "clock.start"),
        ("[clock]\nstart = 0001-01-01T00:00:00+14:00", "clock.start"),
        ("[clock]\nanchor = 0001-01-01T00:00:00+00:00", "clock.anchor"),
        ('[alerts]\nmail_from = "a@b\\r\\nBcc: x@y"', "alerts.mail_from"),
    ],
)
def test_values_are_checked_for_their_use(
    text: str, key: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the use of a value would stumble over is refused with its key, in short words."""
    config = tmp_path / "config.toml"
    config.write_text(text, encoding="utf-8")
    for name in [name for name in os.environ if name.startswith("CHARTINSIGHT_")]:
        monkeypatch.delenv(name)

    with pytest.raises(ConfigurationError) as caught:
        load_settings(config)

    assert key in str(caught.value)
    assert len(str(caught.value)) < 1_000


@pytest.mark.parametrize(
    ("url", "is_taken"),
    [("http://example.com", False), ("http://127.0.0.1:8600", True), ("https://example.com", True)],
)
def test_keys_never_leave_this_machine_unencrypted(
    url: str, is_taken: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In mode live an address without TLS is taken on loopback alone."""
    monkeypatch.setenv("CHARTINSIGHT_MODE", "live")
    monkeypatch.setenv("CHARTINSIGHT_KIWOOM__BASE_URL", url)
    if is_taken:
        assert load_settings().kiwoom.rest_url == url
    else:
        with pytest.raises(ConfigurationError, match="https"):
            load_settings()


def test_a_user_without_home_names_a_state_folder(tmp_path: Path) -> None:
    """No HOME and no passwd entry: a named folder is enough, and without one it is told what to set."""
    program = (
        "from chartinsightd.domain.errors import ConfigurationError\n"
        "from chartinsightd.settings.loading import load_settings\n"
        "try:\n    print(load_settings().state_dir)\nexcept ConfigurationError as error:\n    print(error)\n"
    )
    found = []
    for more in ({}, {"CHARTINSIGHT_STATE_DIR": str(tmp_path)}, {"CHARTINSIGHT_STATE_DIR": "~/x"}):
        homeless = "import os, pwd\ndef gone(_): raise KeyError\npwd.getpwuid = gone\n"
        env = {"PYTHONPATH": os.pathsep.join(sys.path), **more}
        run = subprocess.run(
            [sys.executable, "-c", homeless + program], env=env, capture_output=True, text=True, check=True
        )
        found.append(run.stdout.strip())

    assert "CHARTINSIGHT_STATE_DIR" in found[0]
    assert found[1] == str(tmp_path)
    assert "home" in found[2]


@pytest.mark.parametrize("address", ["127.0.0.1:8600", "[::1]:8600", "localhost:0", ""])
def test_the_page_listens_on_this_machines_own_addresses(tmp_path: Path, address: str) -> None:
    """Addresses of the loopback interface are taken as they are; empty is off."""
    file = tmp_path / "config.toml"
    file.write_text(f'[web]\nlisten = "{address}"\n', encoding="utf-8")

    assert load_settings(file).web.listen == address


@pytest.mark.parametrize(
    "address",
    [
        "0.0.0.0:8600",
        "192.168.0.7:8600",
        "[::]:8600",
        ":8600",
        "8600",
        "127.0.0.1",
        "127.0.0.1:99999",
        "example.com:8600",
        "http://127.0.0.1:8600",
        "me@127.0.0.1:8600",
        "127.0.0.1:8600/x",
        "127.0.0.1:x",
    ],
)
def test_the_page_never_listens_where_others_reach_it(tmp_path: Path, address: str) -> None:
    """Anything but a loopback address is refused at the start, with the tunnel that does it safely."""
    words = refused(tmp_path, f'[web]\nlisten = "{address}"\n')

    assert "web.listen" in words
    assert "ssh -N -L 8600:127.0.0.1:8600" in words


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]"])
def test_a_key_may_go_in_the_clear_to_a_language_model_on_this_machine(host: str) -> None:
    """Only a model elsewhere needs https."""
    AiSettings(base_url=f"http://{host}:11434", api_key=SecretStr("k"))

    with pytest.raises(ValidationError, match="in the clear"):
        AiSettings(base_url="http://models.example:11434", api_key=SecretStr("k"))


def test_the_schema_describes_the_example_and_no_secret() -> None:
    """It knows every key of the shipped example; secrets, which the file refuses, are not in it."""
    schema = json.loads(config_schema())
    example = tomllib.loads(default_config())
    assert example.keys() <= schema["properties"].keys()
    for name, section in example.items():
        if isinstance(section, dict):
            kind = schema["properties"][name]["$ref"].rpartition("/")[2]
            assert section.keys() <= schema["$defs"][kind]["properties"].keys()
    assert "secret_key" not in schema["$defs"]["KiwoomSettings"]["properties"]
    assert schema["$defs"]["RecordSettings"]["properties"]["days"]["maximum"] == 366


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("target_s = { 7m = 120 }", "freshness.target_s"),
        ("target_s = { 5m = 0 }", "greater than or equal to 1"),
        ('target_s = { 5m = "soon" }', "valid number"),
    ],
)
def test_a_wrong_freshness_target_is_told_with_its_place(tmp_path: Path, text: str, words: str) -> None:
    """An unknown timeframe, nothing, and a word are refused, each by its key and line."""
    told = refused(tmp_path, f"[freshness]\n{text}\n")
    assert "config.toml, line 2" in told
    assert words in told


def test_a_freshness_target_of_what_is_not_collected_is_refused(tmp_path: Path) -> None:
    """It could never be missed, and somebody would believe that it holds."""
    told = refused(tmp_path, '[collect]\ntimeframes = ["1d"]\n[freshness]\ntarget_s = { 5m = 60 }\n')
    assert "freshness.target_s names 5m" in told
