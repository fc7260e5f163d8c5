"""Lives through many seeds, some at once, and says what became of them.

python -m tests.campaign --seeds 1-200 --jobs 2 --report campaign.json
python -m tests.campaign --replay 17 --keep logs
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.campaign.report import summed_up, table
from tests.campaign.seed import Result, as_json

_GIVE_UP_S = 300.0


def _seeds(text: str) -> list[int]:
    """Read `1-200` or `3,17,20-25`."""
    found: list[int] = []
    for part in text.split(","):
        first, _, last = part.partition("-")
        found.extend(range(int(first), int(last or first) + 1))
    return found


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seeds", type=_seeds, default=_seeds("1-12"), help="such as 1-200 or 3,17 [1-12]")
    parser.add_argument("--replay", type=int, metavar="SEED", help="one seed, its events printed")
    parser.add_argument("--jobs", type=int, default=2, help="how many at once [2]")
    parser.add_argument("--report", type=Path, help="write all results here, as JSON")
    parser.add_argument(
        "--sum-up", type=Path, nargs="+", metavar="REPORT", help="only add up reports of earlier runs"
    )
    parser.add_argument("--keep", type=Path, help="folder for the logs of the seeds that did not pass")
    return parser.parse_args()


async def _one(seed: int, keep: Path | None) -> dict[str, Any]:
    """Run a seed in a process of its own."""
    command = [sys.executable, "-m", "tests.campaign.seed", str(seed)]
    command += ["--keep", str(keep / str(seed))] if keep else []
    process = await asyncio.create_subprocess_exec(
        *command, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    try:
        async with asyncio.timeout(_GIVE_UP_S):
            output, errors = await process.communicate()
    except TimeoutError:
        process.kill()
        return _broken(seed, f"it did not end within {_GIVE_UP_S:.0f} s")
    lines = output.decode().splitlines()
    try:
        result: dict[str, Any] = json.loads(lines[-1])
    except (IndexError, ValueError):
        return _broken(seed, errors.decode(errors="replace")[-1500:])
    return result


def _broken(seed: int, why: str) -> dict[str, Any]:
    return as_json(Result(seed=seed, findings=[f"the runner broke: {why}"]))


async def _all(
    seeds: list[int], jobs: int, keep: Path | None, report: Path | None = None
) -> list[dict[str, Any]]:
    """Run the seeds, some at once; the report is complete after each of them."""
    room, results = asyncio.Semaphore(jobs), []

    async def run(seed: int) -> None:
        async with room:
            result = await _one(seed, keep)
        results.append(result)
        _write(report, results)
        print(_line(result), file=sys.stderr, flush=True)

    async with asyncio.TaskGroup() as group:
        for seed in seeds:
            group.create_task(run(seed))
    return sorted(results, key=lambda one: one["seed"])


def _write(report: Path | None, results: list[dict[str, Any]]) -> None:
    if report is not None:
        told = {"summary": summed_up(results), "seeds": sorted(results, key=lambda one: one["seed"])}
        report.write_text(json.dumps(told, indent=1), encoding="utf-8")


def _line(result: dict[str, Any]) -> str:
    verdict = "FAILED" if result["findings"] else "passed"
    strikes, wrong = sum(result["strikes"].values()), sum(result["faults"].values())
    words = f"seed {result['seed']:4d}: {verdict} in {result['real_s']:5.1f} s, {strikes} strikes,"
    words += f" {wrong} wrong answers, {result['rows_compared']:,} rows equal,"
    words += f" recovered in {result['recovery_s']:.1f} s"
    return words + "".join(_told(result["findings"]))


def _told(findings: list[str]) -> Iterator[str]:
    for finding in findings:
        yield f"\n    {finding[:1500]}"


def main() -> None:
    """Run the seeds; the exit status is 1 where one did not pass."""
    asked = _arguments()
    if asked.sum_up:
        results = [one for report in asked.sum_up for one in json.loads(report.read_text("utf-8"))["seeds"]]
    elif asked.replay is not None:
        keep = asked.keep or Path("campaign-logs")
        results = asyncio.run(_all([asked.replay], 1, keep))
        print((keep / str(asked.replay) / "events.log").read_text(encoding="utf-8"))
    else:
        results = asyncio.run(_all(asked.seeds, asked.jobs, asked.keep, asked.report))
    summary = summed_up(results)
    print(table(summary))
    sys.exit(1 if summary["failed"] else 0)


if __name__ == "__main__":
    main()
