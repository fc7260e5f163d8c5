"""Each setting in force, and where its value comes from."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from chartinsightd.effective_settings import Origin, effective_settings
from chartinsightd.settings.loading import load_settings
from chartinsightd.settings.model import Settings

FILE = """\
state_dir = "/tmp/elsewhere"
log = { level = "debug" }
[collect]
symbols = ["005930"]
settle_s = 30
[collect.horizon]
5m = "20d"
[control]
"""


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Neither the person's settings nor their files take part."""
    for name in list(os.environ):
        if name.upper().startswith("CHARTINSIGHT_") or name in {"STATE_DIRECTORY", "CREDENTIALS_DIRECTORY"}:
            monkeypatch.delenv(name)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "none"))


def origins(config: Path | None) -> dict[str, tuple[str, str]]:
    """Return origin and place of each setting that is not a default."""
    found = effective_settings(load_settings(config), config).values()
    return {one.name: (one.origin, one.place) for one in found if one.origin is not Origin.DEFAULT}


def test_a_value_names_the_source_that_won(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Environment over credential over file over default, with variable, credential, or file and line."""
    file, credentials = tmp_path / "config.toml", tmp_path / "credentials"
    file.write_text(FILE, encoding="utf-8")
    credentials.mkdir()
    (credentials / "kiwoom_app_key").write_text("key of the credential")
    (credentials / "kiwoom_secret_key").write_text("secret of the credential")
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(credentials))
    monkeypatch.setenv("CHARTINSIGHT_KIWOOM__APP_KEY", "key of the environment")
    monkeypatch.setenv("CHARTINSIGHT_COLLECT__SETTLE_S", "45")
    monkeypatch.setenv("CHARTINSIGHT_ALERTS", '{"per_hour": 3}')

    assert origins(file) == {
        "state_dir": ("file", f"{file}:1"),
        "log.level": ("file", f"{file}:2"),
        "collect.symbols": ("file", f"{file}:4"),
        "collect.horizon": ("file", f"{file}:6"),
        "collect.settle_s": ("environment", "CHARTINSIGHT_COLLECT__SETTLE_S"),
        "kiwoom.app_key": ("environment", "CHARTINSIGHT_KIWOOM__APP_KEY"),
        "kiwoom.secret_key": ("credential", "kiwoom_secret_key"),
        "alerts.per_hour": ("environment", "CHARTINSIGHT_ALERTS"),
    }


def test_without_a_file_everything_is_a_default() -> None:
    """Every setting of every section is there."""
    found = effective_settings(load_settings())

    assert {one.origin for one in found.values()} == {Origin.DEFAULT}
    assert {name.partition(".")[0] for name in found} == set(Settings.model_fields)


def test_a_secret_is_never_a_value(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a secret it is said whether there is one, and nothing else."""
    for name in ("KIWOOM__APP_KEY", "DATABASE__DSN", "ALERTS__SMTP_PASSWORD"):
        monkeypatch.setenv(f"CHARTINSIGHT_{name}", "postgresql://u:hidden-word@h/d")
    monkeypatch.setenv("CHARTINSIGHT_ALERTS__APPRISE_URLS", '["json://hidden-word"]')

    found = effective_settings(load_settings())

    assert "hidden-word" not in repr(found)
    secrets = {one.name: one.value for one in found.values() if one.is_secret}
    assert secrets == {
        "kiwoom.app_key": True,
        "kiwoom.secret_key": False,
        "database.dsn": True,
        "alerts.slack_webhook": False,
        "alerts.smtp_password": True,
        "alerts.apprise_urls": True,
        "ai.api_key": False,
    }
