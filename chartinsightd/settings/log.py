"""The section `log`."""

from __future__ import annotations

from typing import Literal

from chartinsightd.settings.section import Section


class LogSettings(Section):
    """The log, on standard error."""

    format: Literal["auto", "json", "console"] = "auto"
    """`auto`: JSON under systemd, console elsewhere."""
    level: Literal["debug", "info", "warning", "error"] = "info"
