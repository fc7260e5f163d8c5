"""The section `database`."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, SecretStr

from chartinsightd.settings.section import Section


class DatabaseSettings(Section):
    """PostgreSQL."""

    dsn: SecretStr = SecretStr("")
    """PostgreSQL URL; empty: an embedded PostgreSQL under `state_dir`."""
    connect_timeout_s: Annotated[float, Field(gt=0, le=600)] = 10.0
    """How long to try at start, in real seconds."""
