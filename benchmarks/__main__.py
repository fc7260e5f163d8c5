"""Every benchmark, one after the other, each in a process of its own.

python -m benchmarks [PART …]
"""

from __future__ import annotations

import argparse
import subprocess
import sys

PARTS = (
    "decode",
    "gate",
    "universe",
    "store",
    "reads",
    "path",
    "export",
    "start",
    "live",
    "watch",
    "analysis",
    "evening",
    "radar",
    "day",
    "rest",
    "frames",
)


def main() -> None:
    """Run the parts; the exit status is 1 where one missed a goal."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"of {', '.join(PARTS)}; default: all")
    parts = parser.parse_args().parts or PARTS
    if strangers := set(parts) - set(PARTS):
        parser.error(f"no such part: {', '.join(sorted(strangers))}")
    statuses = [
        subprocess.run([sys.executable, "-m", f"benchmarks.{part}"], check=False).returncode for part in parts
    ]
    sys.exit(int(any(statuses)))


if __name__ == "__main__":
    main()
