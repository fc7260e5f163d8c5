"""What every screen is given: the last known data, words, colours, and whom to ask."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from chartinsight_tui.last_picture import LastPicture
from chartinsight_tui.store import Store
from chartinsight_tui.text import Words
from chartinsight_tui.theme import Palette

if TYPE_CHECKING:
    from chartinsight_tui.connection import Connection


@dataclass(slots=True, kw_only=True)
class Context:
    """Shared by all screens; changed by the dashboard alone."""

    store: Store
    words: Words
    colours: Palette
    """The colours that were chosen."""
    read_only: bool
    now: Callable[[], datetime | None]
    """Returns the daemon's time, UTC; None while it is away."""
    is_past: bool = False
    """Whether another time than now is shown: a frozen screen, or a recorded moment."""
    last_picture: LastPicture | None = None
    """What the home screen showed last time, until the daemon is heard."""
    connection: Connection | None = None
    """Whom to ask; None until its code is loaded."""

    @property
    def palette(self) -> Palette:
        """The colours of the moment; none while the daemon is away: nothing is known to be good or bad."""
        return self.colours if self.store.is_online else self.colours.muted
