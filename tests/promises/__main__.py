"""Breaks the code on purpose, a promise at a time, and says which test noticed.

    python -m tests.promises            # all, some minutes; exit status 1 when a breakage goes unnoticed
    python -m tests.promises 2 5        # of some promises

Works on a copy in a temporary folder; nothing here is touched.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.promises.breakages import BREAKAGES, Breakage

ROOT = Path(__file__).resolve().parents[2]
_TESTS_FAILED = 1
"""pytest's exit status for that; others (nothing collected, a usage error) prove nothing."""
_LIMIT_S = 300.0


def main() -> int:
    """Apply the breakages asked for, one at a time; return how the command ends."""
    numbers = {int(number) for number in sys.argv[1:]}
    chosen = [one for one in BREAKAGES if not numbers or one.promise in numbers]
    with tempfile.TemporaryDirectory(prefix="chartinsight-promises-") as folder:
        copy = _copied(Path(folder))
        if _status_of(copy, sorted({one.test for one in chosen})) != 0:
            print("The tests fail without any breakage.", file=sys.stderr)
            return 1
        unnoticed = [one for one in chosen if not _is_noticed(copy, one)]
    print(f"{len(chosen) - len(unnoticed)} of {len(chosen)} breakages noticed")
    return 1 if unnoticed else 0


def _copied(folder: Path) -> Path:
    """Copy what git knows or would know, and lead to the data beside the repository."""
    copy = folder / "repository"
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        check=True,
    )
    for name in filter(None, listed.stdout.decode().split("\0")):
        if (ROOT / name).is_file():
            (copy / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, copy / name)
    if (shared := ROOT.parent / "shared").exists():
        (folder / "shared").symlink_to(shared.resolve())
    return copy


def _is_noticed(copy: Path, breakage: Breakage) -> bool:
    file = copy / breakage.file
    whole = file.read_text(encoding="utf-8")
    begun_at = time.monotonic()
    file.write_text(whole.replace(breakage.old, breakage.new, 1), encoding="utf-8")
    try:
        status = _status_of(copy, [breakage.test])
    finally:
        file.write_text(whole, encoding="utf-8")
    noticed = status == _TESTS_FAILED
    verdict = "noticed" if noticed else f"NOT NOTICED (exit status {status})"
    took_s = time.monotonic() - begun_at
    print(f"{breakage.promise}  {verdict}  {took_s:5.1f} s  {breakage.why}  [{breakage.test}]", flush=True)
    return noticed


def _status_of(copy: Path, tests: list[str]) -> int:
    command = [sys.executable, "-B", "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", *tests]
    environment = {**os.environ, "PYTHONPATH": str(copy), "HYPOTHESIS_PROFILE": "mutation"}
    ended = subprocess.run(
        command, cwd=copy, env=environment, capture_output=True, check=False, timeout=_LIMIT_S
    )
    return ended.returncode


if __name__ == "__main__":
    sys.exit(main())
