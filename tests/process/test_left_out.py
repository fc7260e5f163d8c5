"""What the daemon's process does without."""

from __future__ import annotations

import subprocess
import sys

_HEAVY = ("rich", "pygments", "greenlet", "aiosmtplib")


def test_the_daemon_imports_no_package_that_only_a_library_wants() -> None:
    """rich and greenlet stay out of the daemon's memory, installed or not; mail comes with a mail server."""
    program = (
        "import sys; from chartinsightd.process.left_out import leave_out; leave_out('rich', 'greenlet');"
        f"import chartinsightd.app.daemon; print(*(name for name in {_HEAVY} if sys.modules.get(name)))"
    )
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert ended.stdout.split() == []


def test_what_is_imported_already_stays() -> None:
    """Leaving out comes too late for a package that is there; one that is left out cannot be imported."""
    program = (
        "import sys, json; from chartinsightd.process.left_out import leave_out; leave_out('json', 'wave');"
        "import json\ntry: import wave\nexcept ModuleNotFoundError: print('left out')"
    )
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert ended.stdout.split() == ["left", "out"]
