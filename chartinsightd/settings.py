"""What a person can set: `config.toml`, environment variables, systemd credentials.

Environment (`CHARTINSIGHT_<SECTION>__<KEY>`, lists and tables as JSON) wins over credentials, those over
the file, the file over the defaults. Whatever is unknown or wrong is refused with its name and place.
"""

from __future__ import annotations

import json
import os
import re
import tomllib
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from urllib.parse import unquote, urlsplit

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
    model_validator,
)
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    SettingsError,
)

from chartinsightd.domain.errors import ConfigurationError
from chartinsightd.domain.foreign_text import shortened
from chartinsightd.domain.horizon import Horizon
from chartinsightd.domain.setting_values import (
    header_text,
    http_address,
    is_loopback,
    loopback_listener,
    one_line,
    plausible_instant,
    usable_path,
)
from chartinsightd.domain.timeframe import Timeframe
from chartinsightd.facts.targets import TARGETS

PREFIX = "CHARTINSIGHT_"
CONFIG_VARIABLE = "CHARTINSIGHT_CONFIG"
SECRETS = {
    ("kiwoom", "app_key"): "kiwoom_app_key",
    ("kiwoom", "secret_key"): "kiwoom_secret_key",
    ("ai", "api_key"): "ai_api_key",
    ("alerts", "slack_webhook"): "alerts_slack_webhook",
    ("alerts", "smtp_password"): "alerts_smtp_password",
    ("alerts", "apprise_urls"): "alerts_apprise_urls",
}
"""Section and key of each setting that is refused in files, with its systemd credential."""
HIDDEN = SECRETS.keys() | {("database", "dsn")}
"""What no message quotes. A whole section is not quoted either: it may hold one of these."""
_HOSTS = {"real": "api.kiwoom.com", "paper": "mockapi.kiwoom.com"}
_WEBSOCKET_PORT, _WEBSOCKET_PATH = 10000, "/api/dostk/websocket"
"""kiwoom.md#hosts."""
_SYMBOL = re.compile(r"[0-9A-Z]{6}")


def _checked_symbol(symbol: str) -> str:
    if not _SYMBOL.fullmatch(symbol):
        raise ValueError(
            f"{symbol!r} is not a Kiwoom stock code: six digits or capital letters, such as 005930"
        )
    return symbol


def _checked_horizon(text: str) -> str:
    try:
        Horizon.parse(text)
    except ConfigurationError as error:
        raise ValueError(str(error)) from None
    return text


Symbol = Annotated[str, AfterValidator(_checked_symbol)]
UsablePath = Annotated[Path, AfterValidator(usable_path)]
HorizonText = Annotated[str, AfterValidator(_checked_horizon)]


class Section(BaseModel):
    """A part of the settings: frozen, nothing unknown."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class KiwoomSettings(Section):
    """The broker."""

    environment: Literal["real", "paper"] = "real"
    """`paper` is 모의투자: other hosts, other keys, a fifth of the pace (kiwoom.md#paper-host)."""
    base_url: Annotated[str, AfterValidator(http_address)] = ""
    """Overrides the REST host of the environment."""
    websocket_url: str = ""
    """Overrides the WebSocket host of the environment: the whole URL, path included."""
    app_key: SecretStr = SecretStr("")
    secret_key: SecretStr = SecretStr("")
    requests_per_second: Annotated[int, Field(ge=1, le=20)] | None = None
    """Ceiling for each api-id; by environment 5 (real) or 1 (paper) (kiwoom.md#rate-limit)."""
    gate: Literal["proved", "measured"] = "proved"
    """`proved` never exceeds the limit; `measured` trusts the usual network delay."""
    user_agent: Annotated[str, AfterValidator(header_text)] = "curl/8.5.0"
    """Kiwoom's firewall refuses the ones of Python libraries (kiwoom.md#firewall)."""
    timeout_s: Annotated[float, Field(gt=0, le=600)] = 60.0
    """Longest wait for one answer, in real seconds; the first page of a symbol can take many."""
    dates: Literal["auto", "believed", "ignored"] = "auto"
    """Whether the `Date` of answers holds back a clock of ours that runs ahead. `auto`: yes, but not in
    simulation, where it may be real time while the clock is virtual, unless the simulator's is followed."""

    @property
    def rest_url(self) -> str:
        """The REST host in force."""
        return self.base_url.rstrip("/") or f"https://{_HOSTS[self.environment]}"

    @property
    def socket_url(self) -> str:
        """The WebSocket in force; empty where another REST host is set alone: the two belong together."""
        if self.websocket_url or self.base_url:
            return self.websocket_url
        return f"wss://{_HOSTS[self.environment]}:{_WEBSOCKET_PORT}{_WEBSOCKET_PATH}"

    @property
    def pace(self) -> int:
        """Requests a second and api-id."""
        return self.requests_per_second or {"real": 5, "paper": 1}[self.environment]


class DatabaseSettings(Section):
    """PostgreSQL."""

    dsn: SecretStr = SecretStr("")
    """PostgreSQL URL; empty: an embedded PostgreSQL under `state_dir`."""
    connect_timeout_s: Annotated[float, Field(gt=0, le=600)] = 10.0
    """How long to try at start, in real seconds."""


def _default_horizons() -> dict[Timeframe, HorizonText]:
    return dict.fromkeys(Timeframe, "max")


def _complete_horizons(value: object) -> object:
    """One text stands for all timeframes; a table names those that differ from `max`."""
    if isinstance(value, str):
        return dict.fromkeys(Timeframe, value)
    if isinstance(value, Mapping):
        return {**_default_horizons(), **value}
    return value


class CollectSettings(Section):
    """What is collected."""

    timeframes: tuple[Timeframe, ...] = tuple(Timeframe)
    symbols: tuple[Symbol, ...] = tuple(TARGETS)
    """The targets: collected in all timeframes; default: the thirty target stocks."""
    fold: tuple[Literal[Timeframe.M30, Timeframe.H1], ...] = ()
    """Timeframes built from final 5m candles during the day instead of polled."""
    horizon: Annotated[dict[Timeframe, HorizonText], BeforeValidator(_complete_horizons)] = Field(
        default_factory=_default_horizons
    )
    """How far back each timeframe is kept complete: `20d`, `6m`, `1y`, `max` (what Kiwoom serves)."""
    poll_delay_s: Annotated[float, Field(ge=0, le=240)] = 5.0
    """How long after a candle's close it is read."""
    settle_s: Annotated[float, Field(ge=0, le=3600)] = 60.0
    """How long after its close a candle must have been read to be final (kiwoom.md#candle-in-progress)."""
    spool_mb: Annotated[int, Field(ge=1, le=1_000_000)] = 512
    """MiB of pages that may wait on disk while PostgreSQL is away; a quarter is kept for live polls."""
    calendar_overrides: UsablePath | None = None
    """A TOML file of trading days and hours that correct the built-in calendar."""

    @model_validator(mode="after")
    def _folds_need_five_minutes(self) -> Self:
        if self.fold and Timeframe.M5 not in self.timeframes:
            raise ValueError("fold needs 5m among the timeframes")
        if stray := set(self.fold) - set(self.timeframes):
            raise ValueError(f"fold names timeframes that are not collected: {', '.join(sorted(stray))}")
        return self

    @property
    def horizons(self) -> dict[Timeframe, Horizon]:
        """The horizons, parsed."""
        return {timeframe: Horizon.parse(text) for timeframe, text in self.horizon.items()}


_PAGE_LONG: Mapping[Timeframe, HorizonText] = {Timeframe.D1: "2y", Timeframe.W1: "5y"}
"""What one answer holds: 600 days, 300 weeks (kiwoom.md#page-sizes)."""


def _complete_universe_horizons(value: object) -> object:
    """One text stands for all timeframes; a table names those that differ from the default."""
    if isinstance(value, Mapping):
        return {**_default_horizons(), **_PAGE_LONG, **value}
    return _complete_horizons(value)


class UniverseSettings(Section):
    """The stocks that are collected and screened beside the targets, and what is left out of them."""

    enabled: bool = True
    """Off: the targets alone."""
    min_market_cap: Annotated[int, Field(ge=0, le=10**18)] = 100_000_000_000
    """Won, by the morning's stock list; 0: of any size, the whole market."""
    timeframes: tuple[Timeframe, ...] = (Timeframe.D1, Timeframe.W1)
    """Those of the collected timeframes that are collected of them."""
    horizon: Annotated[dict[Timeframe, HorizonText], BeforeValidator(_complete_universe_horizons)] = Field(
        default_factory=lambda: {**_default_horizons(), **_PAGE_LONG}
    )
    """How far back each timeframe is kept complete; by default as far as one request reaches."""
    exclude_funds: bool = True
    """ETFs, ETNs, REITs, funds and other issues that are no shares."""
    exclude_spacs: bool = True
    """기업인수목적회사 (스팩)."""
    exclude_preferred: bool = True
    """우선주."""
    exclude_administrative: bool = True
    """관리종목."""
    exclude_halted: bool = True
    """거래정지."""

    @property
    def horizons(self) -> dict[Timeframe, Horizon]:
        """The horizons, parsed."""
        return {timeframe: Horizon.parse(text) for timeframe, text in self.horizon.items()}


class ClockSettings(Section):
    """The virtual clock; simulation mode only."""

    start: Annotated[AwareDatetime, AfterValidator(plausible_instant)] | None = None
    """Virtual time at the anchor."""
    speed: Annotated[float, Field(gt=0, le=100_000)] = 1.0
    """Virtual seconds in a real one."""
    anchor: Annotated[AwareDatetime, AfterValidator(plausible_instant)] | None = None
    """Real time at which virtual time was `start`; default: the process's start."""
    follow: bool = False
    """Follow the simulator's own clock through its admin API, jumps and changes of speed included."""


class ControlSettings(Section):
    """The control socket."""

    socket: UsablePath | None = None
    """Default: `control.sock` in `$RUNTIME_DIRECTORY`, else in the XDG runtime folder."""
    group: str | None = None
    """The group whose members may use the socket, beside its owner. Default: the process's own group."""


class LogSettings(Section):
    """The log, on standard error."""

    format: Literal["auto", "json", "console"] = "auto"
    """`auto`: JSON under systemd, console elsewhere."""
    level: Literal["debug", "info", "warning", "error"] = "info"


def _default_state_dir() -> Path:
    if given := os.environ.get("STATE_DIRECTORY"):
        return Path(given.split(":")[0])
    base = os.environ.get("XDG_STATE_HOME") or "~/.local/state"
    try:
        return Path(base).expanduser() / "chartinsight"
    except RuntimeError:
        raise ConfigurationError(
            "No state folder is named, and this user has no home.",
            remedy=f"Set state_dir ({PREFIX}STATE_DIR) to a folder that the daemon may write.",
        ) from None


def _lines_or_list(value: object) -> object:
    """A credential is a file: one a line."""
    return value.split() if isinstance(value, str) else value


class AlertSettings(Section):
    """Where alerts go. Times are real ones, also in simulation."""

    slack_webhook: SecretStr = SecretStr("")
    """An incoming webhook; empty: nothing is sent to Slack."""
    smtp_host: str = ""
    """The server that takes mail; empty: no mail is sent."""
    smtp_port: Annotated[int, Field(ge=1, le=65535)] = 587
    """465: encrypted from the first byte."""
    smtp_starttls: bool = True
    """Whether the connection must become encrypted; false only for a server on this machine."""
    smtp_user: str = ""
    """Empty: without logging in."""
    smtp_password: SecretStr = SecretStr("")
    mail_from: Annotated[str, AfterValidator(one_line)] = ""
    mail_to: tuple[Annotated[str, AfterValidator(one_line)], ...] = ()
    apprise_urls: Annotated[tuple[SecretStr, ...], BeforeValidator(_lines_or_list)] = ()
    """Anything else, by the library apprise; needs the extra `chartinsight[apprise]`."""
    level: Literal["warning", "error"] = "warning"
    """The least level that is sent."""
    per_hour: Annotated[int, Field(ge=1, le=1000)] = 20
    """Most messages for each channel; further alerts are combined into a later one."""
    quiet_s: Annotated[float, Field(ge=0, le=86_400)] = 600.0
    """A condition that returns sooner is announced only if it still lasts after this time."""
    remind_h: Annotated[float, Field(ge=0, le=8760)] = 24.0
    """Time after which a lasting condition is announced again; 0: never."""

    @model_validator(mode="after")
    def _mail_needs_addresses(self) -> Self:
        if self.smtp_host and not (self.mail_from and self.mail_to):
            raise ValueError("smtp_host needs mail_from and mail_to")
        return self


class LiveSettings(Section):
    """Forming candles from Kiwoom's live stream of trades."""

    enabled: bool = True
    """Off: candles come from polls alone."""
    most_symbols: Annotated[int, Field(ge=1, le=1_000)] = 95
    """So many symbols are registered at most, the first tracked ones. Reports name 100 a connection, some 40;
    what Kiwoom refuses is left to polls (kiwoom.md#websocket-registration)."""


class AnalysisSettings(Section):
    """Points, trends and patterns of what is collected."""

    enabled: bool = True
    """Off: nothing is analysed by itself; what was found stays readable."""
    timeframes: tuple[Timeframe, ...] = ()
    """Those of the collected timeframes that are analysed; empty: all."""
    guard_minutes: Annotated[int, Field(ge=1, le=720)] = 50
    """A run stops after this long and continues at the next look."""


class StrategySettings(Section):
    """Strategies of the user."""

    folder: UsablePath | None = None
    """Their sources, one file each; owned by root or the daemon's user, writable by nobody else."""


class WebSettings(Section):
    """The page /radar/ and the API for reading, for browsers and programs of this machine."""

    listen: Annotated[str, AfterValidator(loopback_listener)] = ""
    """Host and port on the loopback interface, such as `127.0.0.1:8600`; empty: off."""


class AiSettings(Section):
    """The language model that writes notes; without one, notes come from the template."""

    provider: Literal["", "gemini", "openai"] = ""
    """`openai` is any server that speaks OpenAI's chat completions."""
    base_url: Annotated[str, AfterValidator(http_address)] = ""
    """Overrides the provider's own address; an `openai` server of one's own, such as http://127.0.0.1:11434."""
    model: Annotated[str, AfterValidator(one_line)] = ""
    """Empty: the provider's usual one."""
    requests_per_day: Annotated[int, Field(ge=0, le=100_000)] = 100
    """HTTP requests in a Korean day, whatever comes of them."""
    prompts: UsablePath | None = None
    """A folder of prompts beside the shipped ones."""
    api_key: SecretStr = SecretStr("")

    @model_validator(mode="after")
    def _key_stays_secret(self) -> Self:
        address = urlsplit(self.base_url)
        is_open = address.scheme == "http" and not is_loopback(address.hostname or "")
        if is_open and self.api_key.get_secret_value():
            raise ValueError("base_url sends the key in the clear: use https, or a server on this machine")
        return self


class Settings(BaseSettings):
    """Everything that can be set."""

    model_config = SettingsConfigDict(
        frozen=True,
        extra="forbid",
        env_prefix=PREFIX,
        env_nested_delimiter="__",
        nested_model_default_partial_update=True,
    )

    mode: Literal["live", "simulation"] = "live"
    """Chosen once: it names the PostgreSQL schema, so that the two never mix."""
    state_dir: UsablePath = Field(default_factory=_default_state_dir)
    """Checkpoint, spool and the embedded database."""
    kiwoom: KiwoomSettings = KiwoomSettings()
    database: DatabaseSettings = DatabaseSettings()
    collect: CollectSettings = CollectSettings()
    universe: UniverseSettings = UniverseSettings()
    live: LiveSettings = LiveSettings()
    analysis: AnalysisSettings = AnalysisSettings()
    strategies: StrategySettings = StrategySettings()
    ai: AiSettings = AiSettings()
    clock: ClockSettings = ClockSettings()
    control: ControlSettings = ControlSettings()
    web: WebSettings = WebSettings()
    log: LogSettings = LogSettings()
    alerts: AlertSettings = AlertSettings()

    def secrets(self) -> Iterator[str]:
        """Yield every text that must never be shown."""
        alerts = self.alerts
        given = (
            self.kiwoom.app_key,
            self.kiwoom.secret_key,
            alerts.smtp_password,
            self.ai.api_key,
        )
        yield from (secret.get_secret_value() for secret in (*given, *alerts.apprise_urls))
        # Errors of libraries quote parts of an address: the password of the one, the path of the other.
        with suppress(ValueError):
            password = urlsplit(self.database.dsn.get_secret_value()).password or ""
            yield from (password, unquote(password))
        with suppress(ValueError):
            yield urlsplit(alerts.slack_webhook.get_secret_value()).path.strip("/")

    @model_validator(mode="after")
    def _modes_never_mix(self) -> Self:
        host = urlsplit(self.kiwoom.rest_url).hostname or ""
        if self.mode == "simulation" and host.endswith("kiwoom.com"):
            raise ValueError("mode simulation needs kiwoom.base_url, the address of a chartinsight-simulator")
        is_plain = urlsplit(self.kiwoom.rest_url).scheme != "https"
        if self.mode == "live" and is_plain and not is_loopback(self.kiwoom.rest_url):
            raise ValueError("mode live sends keys: kiwoom.base_url needs https:// outside this machine")
        if self.mode == "live" and (self.clock.start or self.clock.follow or self.clock.speed != 1.0):
            raise ValueError("clock is for mode simulation; in mode live it is the machine's")
        return self

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Environment first; what is handed in (credentials over the file) after it."""
        del settings_cls, dotenv_settings, file_secret_settings
        return env_settings, init_settings


def load_settings(config: Path | None = None) -> Settings:
    """Read the settings of this process.

    Args:
        config: the file; without it `$CHARTINSIGHT_CONFIG`, the XDG configuration folder, then `/etc`.

    Raises:
        ConfigurationError: something is wrong; the message names each key and where it was set.
    """
    path = config or find_config()
    text = _read(path) if path else ""
    values = _parse(text, path)
    _refuse_secrets(values, text, path)
    _refuse_unknown_variables()
    try:
        return Settings(**_with_credentials(values))
    except ValidationError as error:
        raise ConfigurationError(_explain(error, text, path), remedy=_new_names(error)) from None
    except SettingsError as error:
        raise ConfigurationError(
            f"{_not_json() or error}: lists and tables are JSON in the environment.",
            remedy=f'Example: {PREFIX}COLLECT__SYMBOLS=\'["005930", "000660"]\'.',
        ) from None


def find_config() -> Path | None:
    """Return the settings file of this process where none is named: the first place that has one."""
    if named := os.environ.get(CONFIG_VARIABLE):
        return Path(named)
    places = [Path("/etc/chartinsight/config.toml")]
    with suppress(RuntimeError):  # a user without a home has no settings there
        home = Path(os.environ.get("XDG_CONFIG_HOME") or "~/.config").expanduser()
        places.insert(0, home / "chartinsight" / "config.toml")
    return next((place for place in places if _is_file(place)), None)


def _is_file(path: Path) -> bool:
    """Whether there is a regular file; a folder that may not be entered holds none of ours."""
    try:
        return path.is_file()
    except (OSError, ValueError):
        return False


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        raise ConfigurationError(
            f"{path}: cannot be read: {error}.", remedy="Name a readable TOML file with --config."
        ) from error


def _parse(text: str, path: Path | None) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except (ValueError, RecursionError) as error:  # also a number of thousands of digits
        raise ConfigurationError(f"{path}: not valid TOML: {error or 'nested too deep'}.") from None


def _refuse_secrets(values: Mapping[str, Any], text: str, path: Path | None) -> None:
    for (section, key), credential in SECRETS.items():
        given = values.get(section)
        if isinstance(given, Mapping) and key in given:
            anew = "issuing a new key" if section == "kiwoom" else "making a new one"
            raise ConfigurationError(
                f"{path}, line {line_of(text, (section, key))}: {section}.{key} does not belong in a file.",
                remedy=f"Set {PREFIX}{section.upper()}__{key.upper()} or the systemd credential"
                f" {credential}, take it out of the file, and consider {anew}.",
            )


def _refuse_unknown_variables() -> None:
    known = {PREFIX + name.upper() for name in Settings.model_fields}
    for name in sorted(os.environ):
        upper = name.upper()
        if upper.startswith(PREFIX) and upper != CONFIG_VARIABLE and upper.split("__")[0] not in known:
            raise ConfigurationError(f"Environment variable {name}: no such setting.")


_WITH_LISTS: Mapping[str, type[Section]] = {
    "collect": CollectSettings,
    "universe": UniverseSettings,
    "alerts": AlertSettings,
}


def _not_json() -> str | None:
    """Name the variable whose value should be JSON and is not; the value only where it is no secret."""
    for section, model in _WITH_LISTS.items():
        for key, field in model.model_fields.items():
            variable = f"{PREFIX}{section}__{key}".upper()
            given = next((value for name, value in os.environ.items() if name.upper() == variable), None)
            if given is not None and "[" in str(field.annotation) and not _is_json(given):
                shown = "" if (section, key) in SECRETS else f" ({given!r})"
                return f"Environment variable {variable}{shown}"
    return None


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True


def _with_credentials(values: dict[str, Any]) -> dict[str, Any]:
    """Add the secrets that systemd hands over as files (LoadCredential)."""
    folder = os.environ.get("CREDENTIALS_DIRECTORY")
    if not folder:
        return values
    merged = dict(values)
    for (section, key), name in SECRETS.items():
        file, given = Path(folder) / name, merged.get(section, {})
        if _is_file(file) and isinstance(given, Mapping):
            merged[section] = {**given, key: file.read_text(encoding="utf-8").strip()}
    return merged


_RENAMED = {
    ("collect", "universe"): "Instead of collect.universe set universe.enabled to true or false.",
    ("collect", "min_market_cap"): "Instead of collect.min_market_cap set universe.min_market_cap.",
}
"""Settings of earlier versions, and what to set now."""


def _new_names(error: ValidationError) -> str:
    """Return what to set in the place of settings that have another name now; empty without any."""
    unknown = [one["loc"] for one in error.errors(include_url=False) if one["type"] == "extra_forbidden"]
    return " ".join(_RENAMED[keys] for keys in unknown if keys in _RENAMED)


def _explain(error: ValidationError, text: str, path: Path | None) -> str:
    """Say in one line for each mistake which key is wrong, where it was set, and why."""
    return "\n".join(_explain_one(dict(mistake), text, path) for mistake in error.errors(include_url=False))


def _explain_one(mistake: Mapping[str, Any], text: str, path: Path | None) -> str:
    keys = tuple(str(part) for part in mistake["loc"] if isinstance(part, str))
    why = (
        "no such setting"
        if mistake["type"] == "extra_forbidden"
        else mistake["msg"].removeprefix("Value error, ")
    )
    secret = keys[:2] in HIDDEN or len(keys) < 2
    given = (
        ""
        if secret or mistake["type"] in {"extra_forbidden", "value_error"}
        else f" (given: {shortened(repr(mistake['input']))})"
    )
    name = ".".join(keys)
    return f"{_place(text, path, keys)}: {name + ': ' if name else ''}{why}{given}"


def _place(text: str, path: Path | None, keys: tuple[str, ...]) -> str:
    """Name where a key was set: the environment variable, or the file and the line."""
    variable = PREFIX + "__".join(keys[:2]).upper()
    if keys and any(name.upper() == variable for name in os.environ):
        return f"Environment variable {variable}"
    if path is None:
        return "Settings"
    line = line_of(text, keys)
    return f"{path}, line {line}" if line else str(path)


def line_of(text: str, keys: tuple[str, ...]) -> int | None:
    """Return the line (from 1) that sets a key; the line of its table when it is written in another way."""
    section: tuple[str, ...] = ()
    best: int | None = None
    for number, line in enumerate(text.splitlines(), start=1):
        if header := re.match(r"\s*\[\[?\s*([^\]]+?)\s*\]", line):
            section = tuple(part.strip().strip("\"'") for part in header[1].split("."))
            found = section
        elif assignment := re.match(r"\s*([\w.\"'-]+)\s*=", line):
            found = section + tuple(part.strip("\"'") for part in assignment[1].split("."))
        else:
            continue
        if found == keys:
            return number
        if found and found == keys[: len(found)]:
            best = number
    return best


def state_file(settings: Settings, name: str) -> Path:
    """Name a file of the mode's own part of the state folder, so that modes share nothing on disk either.

    Raises:
        ConfigurationError: the folder cannot be made.
    """
    folder = settings.state_dir / settings.mode
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigurationError(
            f"The state folder {folder} cannot be made: {error.strerror}.",
            remedy="Make it writable for this user, or set state_dir to another folder.",
        ) from error
    return folder / name
