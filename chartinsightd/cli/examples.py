"""Examples of each verb, shown at the end of its help; a test reads each line as the command does."""

from __future__ import annotations

from collections.abc import Mapping

import click

EXAMPLES: Mapping[str, tuple[str, ...]] = {
    "status": ("status", "status --check", "status --at 2026-11-18T20:00", "status --watch"),
    "replay": ("replay yesterday", "replay 2026-11-18 --step 10m"),
    "coverage": ("coverage", "coverage 삼성전자 --detail", "coverage -t 5m --sessions --from -30d"),
    "gaps": ("gaps", "gaps 005930 -t 5m", "gaps --json=symbol,reason --sort reason"),
    "seals": ("seals --state broken", "seals 005930 --from -7d --check"),
    "candles": ("candles 005930 5m", "candles 삼성전자 1d --from -1y -n 300 --adjusted --tsv"),
    "catchup plan": ("catchup plan", "catchup plan -n 20 --json"),
    "adjustments": ("adjustments", "adjustments 카카오"),
    "explain": ("explain 005930 5m 2026-11-18T10:05",),
    "revisions": ("revisions", "revisions 005930 -t 5m,1d --sort symbol"),
    "quarantine": ("quarantine", "quarantine 005930 --json"),
    "watch": ("watch", "watch --once --json"),
    "watchlist add": ("watchlist add 삼성전자 000660", "watchlist add 035720 --group 인터넷"),
    "watchlist group": ("watchlist group 반도체", "watchlist group 반도체 --rename 메모리"),
    "watchlist list": ("watchlist list",),
    "watchlist move": ("watchlist move 005930 1", "watchlist move 005930 1 --to 반도체"),
    "watchlist remove": ("watchlist remove 005930",),
    "points": ("points 005930 1d", "points 삼성전자 5m -n 50 --as-of 2026-11-20T15:00"),
    "patterns": ("patterns --state completed", "patterns 005930 -t 1d"),
    "strategies": ("strategies", "strategies new my_breakout --folder ."),
    "strategies new": ("strategies new my_breakout --folder .",),
    "screen": (
        "screen trend_up",
        "screen trend_up --as-of 2026-11-18",
        """screen '{"all": [{"strategy": "trend_up"}]}'""",
    ),
    "screens list": ("screens list",),
    "screens remove": ("screens remove morning",),
    "screens runs": ("screens runs morning --limit 5",),
    "screens save": ("screens save morning trend_up",),
    "statistics": ("statistics trend_up", "statistics double_bottom --split 2025-01-01"),
    "labels": ("labels", "labels 005930 -t 1d --history", "labels --export"),
    "radar": ("radar 005930", "radar --sessions"),
    "analyse": ("analyse --wait", "analyse 005930"),
    "note": ("note 005930", "note 삼성전자 SK하이닉스 --language en"),
    "jobs": ("jobs", "jobs --state failed", "jobs --kind backfill --json=id,state,error"),
    "job": ("job 41", "job 41 --wait --timeout 600"),
    "backfill": (
        "backfill 카카오게임즈 -t 5m --from -1y --dry-run",
        "backfill 카카오게임즈 -t 5m --from -1y --wait",
    ),
    "verify": ("verify 005930 -t 5m --from -5d --wait", "verify --local --wait"),
    "retry": ("retry 41",),
    "tries": ("tries", "tries 005930 -t 5m"),
    "cancel": ("cancel 41 --yes",),
    "pause": ("pause", "pause --for 1h --yes"),
    "resume": ("resume",),
    "reload": ("reload",),
    "wait": ("wait --for sealed --timeout 2h", "wait --for idle --json"),
    "config show": ("config show", "config show --sort source"),
    "symbols add": ("symbols add 삼성전자 000660 --wait",),
    "symbols list": ("symbols list 카카오", "symbols list --tracked --json=symbol,name"),
    "symbols remove": ("symbols remove 035720",),
    "symbols sync": ("symbols sync --wait",),
    "symbols universe": ("symbols universe -n 20", "symbols universe --excluded --on 2026-11-18"),
    "alerts": ("alerts", "alerts history"),
    "alerts ack": ("alerts ack database.away",),
    "alerts history": ("alerts history --kind database.away",),
    "alerts list": ("alerts list --check",),
    "alerts silence": ("alerts silence broker.throttling --for 2h", "alerts silence broker.throttling --off"),
    "alerts test": ("alerts test",),
    "alarms": ("alarms", "alarms add 삼성전자 --above 73000"),
    "alarms add": ("alarms add 삼성전자 --above 73000", "alarms add 005930 --volume 3x"),
    "alarms list": ("alarms list",),
    "alarms remove": ("alarms remove 3",),
    "dsn": ("dsn",),
    "psql": ("psql", "psql -c 'select count(*) from candles'"),
    "backup": ("backup store-1118.backup",),
    "restore": ("restore store-1118.backup",),
    "export": (
        "export 005930 -t 1d -o samsung.csv",
        "export --tracked -t 5m --from -30d -o candles.parquet",
        "export 005930 -t 1d --adjusted | head -3",
    ),
    "logs": ("logs -f", "logs --level warning --since 2h", "logs --symbol 005930 --grep page"),
    "completion": ("completion bash",),
}
"""What follows `chartinsightctl` on a line, of each verb that does something."""


def with_examples(path: str, command: click.Command) -> click.Command:
    """Return a verb whose help ends with its examples; likewise the verbs below it."""
    if (lines := EXAMPLES.get(path)) is not None:
        # \b keeps click from filling the lines to a paragraph.
        command.epilog = "\b\nExamples:\n" + "\n".join(f"  chartinsightctl {line}" for line in lines)
    if isinstance(command, click.Group):
        for name, inner in command.commands.items():
            with_examples(f"{path} {name}", inner)
    return command
