"""What the daemon's process does without."""

from __future__ import annotations

import subprocess
import sys
from datetime import date

from chartinsightd.domain.calendar import Calendar

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


def test_closed_days_cost_no_library() -> None:
    """Once the closed days are read `holidays` is out of memory, and the calendar is the same."""
    program = (
        "import sys; from datetime import date\n"
        "from chartinsightd.process.left_out import read_closed_days\n"
        "read_closed_days()\n"
        "from chartinsightd.domain.calendar import Calendar\n"
        "print(*Calendar().trading_days(date(1999, 1, 1), date(2030, 12, 31)))\n"
        "print(*(name for name in sys.modules if name.partition('.')[0] in {'holidays', 'dateutil'}))"
    )
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    days, left = ended.stdout.splitlines()
    assert days == " ".join(map(str, Calendar().trading_days(date(1999, 1, 1), date(2030, 12, 31))))
    assert left == ""


def test_closed_days_need_no_country_but_one() -> None:
    """`holidays` imports South Korea alone where its parts are imported alone."""
    program = (
        "import sys\n"
        "from chartinsightd.process.left_out import import_parts_alone\n"
        "import_parts_alone('holidays.countries', 'holidays.financial')\n"
        "from chartinsightd.domain.calendar import read_listed_closures\n"
        "read_listed_closures()\n"
        "print(*(name for name in sys.modules if name.startswith('holidays.countries.')))"
    )
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert ended.stdout.split() == ["holidays.countries.south_korea"]
