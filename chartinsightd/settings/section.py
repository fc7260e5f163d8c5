"""What every section of the settings is made of."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict

from chartinsightd.domain.setting_values import usable_path

UsablePath = Annotated[Path, AfterValidator(usable_path)]


class Section(BaseModel):
    """A part of the settings: frozen, nothing unknown."""

    model_config = ConfigDict(frozen=True, extra="forbid")
