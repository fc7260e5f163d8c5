"""The section `clock`."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, AwareDatetime, Field

from chartinsightd.domain.setting_values import plausible_instant
from chartinsightd.settings.section import Section


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
