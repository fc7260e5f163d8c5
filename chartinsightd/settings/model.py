"""All sections together: everything that can be set."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Literal, Self
from urllib.parse import unquote, urlsplit

from pydantic import Field, model_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from chartinsightd.domain.errors import ConfigurationError
from chartinsightd.domain.setting_values import is_loopback
from chartinsightd.settings.ai import AiSettings
from chartinsightd.settings.alerts import AlertSettings
from chartinsightd.settings.analysis import AnalysisSettings
from chartinsightd.settings.clock import ClockSettings
from chartinsightd.settings.collect import CollectSettings
from chartinsightd.settings.control import ControlSettings
from chartinsightd.settings.database import DatabaseSettings
from chartinsightd.settings.freshness import FreshnessSettings
from chartinsightd.settings.kiwoom import KiwoomSettings
from chartinsightd.settings.live import LiveSettings
from chartinsightd.settings.log import LogSettings
from chartinsightd.settings.quotes import QuoteSettings
from chartinsightd.settings.record import RecordSettings
from chartinsightd.settings.section import UsablePath
from chartinsightd.settings.strategies import StrategySettings
from chartinsightd.settings.universe import UniverseSettings
from chartinsightd.settings.venues import VenueSettings
from chartinsightd.settings.web import WebSettings

PREFIX = "CHARTINSIGHT_"
SECRETS = {
    ("kiwoom", "app_key"): "kiwoom_app_key",
    ("kiwoom", "secret_key"): "kiwoom_secret_key",
    ("ai", "api_key"): "ai_api_key",
    ("alerts", "slack_webhook"): "alerts_slack_webhook",
    ("alerts", "smtp_password"): "alerts_smtp_password",
    ("alerts", "apprise_urls"): "alerts_apprise_urls",
}
"""Section and key of each setting that is refused in files, with its systemd credential."""
SECRET_SETTINGS = SECRETS.keys() | {("database", "dsn")}
"""The settings whose whole value is a secret."""
HIDDEN = SECRET_SETTINGS | {("kiwoom", "accounts")}
"""What no message quotes. A whole section is not quoted either: it may hold one of these."""


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
    venues: VenueSettings = VenueSettings()
    live: LiveSettings = LiveSettings()
    quotes: QuoteSettings = QuoteSettings()
    analysis: AnalysisSettings = AnalysisSettings()
    strategies: StrategySettings = StrategySettings()
    ai: AiSettings = AiSettings()
    clock: ClockSettings = ClockSettings()
    control: ControlSettings = ControlSettings()
    web: WebSettings = WebSettings()
    log: LogSettings = LogSettings()
    record: RecordSettings = RecordSettings()
    freshness: FreshnessSettings = FreshnessSettings()
    alerts: AlertSettings = AlertSettings()

    def secrets(self) -> Iterator[str]:
        """Yield every text that must never be shown."""
        alerts = self.alerts
        given = (
            self.kiwoom.app_key,
            self.kiwoom.secret_key,
            *(key for one in self.kiwoom.accounts for key in (one.app_key, one.secret_key)),
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

    @model_validator(mode="after")
    def _targets_are_collected(self) -> Self:
        if others := [one.value for one in self.freshness.target_s if one not in self.collect.timeframes]:
            raise ValueError(
                f"freshness.target_s names {others[0]}, which collect.timeframes does not collect"
            )
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
