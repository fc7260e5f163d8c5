"""The section `strategies`."""

from __future__ import annotations

from chartinsightd.settings.section import Section, UsablePath


class StrategySettings(Section):
    """Strategies of the user."""

    folder: UsablePath | None = None
    """Their sources, one file each; owned by root or the daemon's user, no one else may write to them."""
