"""Colours: four themes, and which colour means rise or fall.

Colour never stands alone: rising candles are filled and falling ones hollow, signs stand before changes, and
states have a mark of their own.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property

from rich.style import Style
from textual.theme import Theme


@dataclass(frozen=True, slots=True, kw_only=True)
class Colours:
    """The colours of one theme, as `#rrggbb`."""

    name: str
    dark: bool
    ground: str
    raised: str
    """Behind headings and bars."""
    line: str
    """Borders and grid."""
    text: str
    dim: str
    faint: str
    accent: str
    good: str
    warn: str
    bad: str
    red: str
    """Of prices: rise in Korea, fall elsewhere."""
    blue: str
    """Of prices: fall in Korea."""
    green: str
    """Of prices: rise elsewhere."""
    cursor: str
    """Behind the row or cell that is chosen."""
    past: str
    """Of what is not now: the frozen screen and the replay."""


DARK = Colours(
    name="dark", dark=True, ground="#10141a", raised="#1a212b", line="#2c3644", text="#d5dce6", dim="#8894a5",
    faint="#566273", accent="#6cb2f7", good="#5fb98a", warn="#e0b050", bad="#f07070", red="#f0616d",
    blue="#4f9df5", green="#4fbf80", cursor="#26405c", past="#b79cf0",
)  # fmt: skip
LIGHT = Colours(
    name="light", dark=False, ground="#fbfbfa", raised="#eceeef", line="#c9ced4", text="#20262e",
    dim="#5c6773", faint="#949da8", accent="#0b62b8", good="#1d7f4e", warn="#9a6400", bad="#c02f38",
    red="#cf222e", blue="#0a5fc4", green="#1a7f4b", cursor="#cfe2f7", past="#5b3fb0",
)  # fmt: skip
CONTRAST = Colours(
    name="contrast", dark=True, ground="#000000", raised="#000000", line="#a0a0a0", text="#ffffff",
    dim="#e0e0e0", faint="#b0b0b0", accent="#ffff00", good="#00ff66", warn="#ffd000", bad="#ff6060",
    red="#ff5c5c", blue="#5cc8ff", green="#00ff66", cursor="#0000c0", past="#e0b0ff",
)  # fmt: skip
COLOUR_BLIND = Colours(
    name="colour-blind", dark=True, ground="#11151b", raised="#1b222c", line="#2f3947", text="#d8dee8",
    dim="#8b96a7", faint="#5a6677", accent="#56b4e9", good="#56b4e9", warn="#f0e442", bad="#e69f00",
    red="#e69f00", blue="#56b4e9", green="#f0e442", cursor="#2b4560", past="#c8a8f8",
)  # fmt: skip
ALL = (DARK, LIGHT, CONTRAST, COLOUR_BLIND)
NAMES = tuple(colours.name for colours in ALL)


@dataclass(frozen=True, kw_only=True)
class Palette:
    """Styles by what they mean, for one theme and one choice of price colours."""

    colours: Colours
    rise_is_red: bool = True
    """As in Korea; otherwise rise is green and fall is red."""
    _made: dict[tuple[str, str, bool], Style] = field(default_factory=dict, repr=False)

    def of(self, foreground: str, background: str = "", *, bold: bool = False) -> Style:
        """Return a style of two of the theme's colours by name (`text`, `bad`, `rise` …)."""
        key = (foreground, background, bold)
        if key not in self._made:
            behind = self.colour(background) if background else None
            self._made[key] = Style(color=self.colour(foreground), bgcolor=behind, bold=bold)
        return self._made[key]

    def colour(self, name: str) -> str:
        """Return a colour by name; `rise` and `fall` follow the choice of price colours."""
        if name == "rise":
            name = "red" if self.rise_is_red else "green"
        elif name == "fall":
            name = "blue" if self.rise_is_red else "red"
        value: str = getattr(self.colours, name)
        return value

    @cached_property
    def muted(self) -> Palette:
        """The same without meaning: of what is not known any more nothing is good, bad, up or down."""
        dim = self.colours.dim
        grey = replace(
            self.colours, text=dim, accent=dim, good=dim, warn=dim, bad=dim, red=dim, blue=dim, green=dim
        )
        return Palette(colours=grey, rise_is_red=self.rise_is_red)

    @cached_property
    def text(self) -> Style:
        """Ordinary text."""
        return self.of("text")

    @cached_property
    def dim(self) -> Style:
        """Labels."""
        return self.of("dim")

    @cached_property
    def faint(self) -> Style:
        """What matters least."""
        return self.of("faint")

    @cached_property
    def strong(self) -> Style:
        """What matters most."""
        return self.of("text", bold=True)

    @cached_property
    def accent(self) -> Style:
        """What can be acted upon."""
        return self.of("accent")

    @cached_property
    def good(self) -> Style:
        """All is well."""
        return self.of("good")

    @cached_property
    def warn(self) -> Style:
        """Someone may look at it."""
        return self.of("warn")

    @cached_property
    def bad(self) -> Style:
        """Someone must look at it."""
        return self.of("bad")


def textual_theme(colours: Colours) -> Theme:
    """Return the theme for the framework's own parts: dialogs, inputs, scroll bars."""
    return Theme(
        name=colours.name,
        primary=colours.accent,
        secondary=colours.dim,
        warning=colours.warn,
        error=colours.bad,
        success=colours.good,
        accent=colours.accent,
        foreground=colours.text,
        background=colours.ground,
        surface=colours.ground,
        panel=colours.raised,
        boost=colours.raised,
        dark=colours.dark,
        variables={"border": colours.line, "input-selection-background": colours.cursor},
    )
