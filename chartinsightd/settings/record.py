"""The section `record`."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from chartinsightd.settings.section import Section


class RecordSettings(Section):
    """What the dashboard would show, recorded for the replay."""

    days: Annotated[int, Field(ge=0, le=366)] = 31
    """How long it is kept; 0: nothing is recorded."""
