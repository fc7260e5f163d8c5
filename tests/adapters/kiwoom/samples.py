"""The recorded answers of the broker (tests/data/README.md)."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

SAMPLES = Path(__file__).parents[2] / "data" / "kiwoom"


@dataclass(frozen=True)
class Sample:
    """One recorded answer."""

    status: int
    headers: dict[str, str]
    body: bytes
    request: dict[str, Any]

    @property
    def document(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)


def sample(name: str) -> Sample:
    """Return a recorded answer."""
    content = json.loads((SAMPLES / f"{name}.json").read_text(encoding="utf-8"))
    raw = content.get("raw_text")
    body = raw if raw is not None else json.dumps(content["body"], ensure_ascii=False)
    return Sample(
        status=content["http"]["status"],
        headers=content["http"]["headers"],
        body=body.encode(),
        request=content.get("request", {}),
    )
