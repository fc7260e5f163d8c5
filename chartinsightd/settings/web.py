"""The section `web`."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator

from chartinsightd.domain.setting_values import loopback_listener
from chartinsightd.settings.section import Section


class WebSettings(Section):
    """The page /radar/ and the API for reading, for browsers and programs of this machine."""

    listen: Annotated[str, AfterValidator(loopback_listener)] = ""
    """Host and port on the loopback interface, such as `127.0.0.1:8600`; empty: off."""
