"""The section `control`."""

from __future__ import annotations

from chartinsightd.settings.section import Section, UsablePath


class ControlSettings(Section):
    """The control socket."""

    socket: UsablePath | None = None
    """Default: `control.sock` in `$RUNTIME_DIRECTORY`, else in the XDG runtime folder."""
    group: str | None = None
    """The group whose members may use the socket, beside its owner. Default: the process's own group."""
