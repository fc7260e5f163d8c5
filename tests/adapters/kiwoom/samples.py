"""The recorded answers of the broker, where the folder that holds them is present beside the repository."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

SAMPLES = Path(__file__).parents[3] / ".." / "shared" / "kiwoom" / "samples"


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
    """Return a recorded answer, or skip the test where there is none."""
    path = SAMPLES / f"{name}.json"
    if not path.is_file():
        pytest.skip(f"no recorded answers of the broker beside the repository ({name})")
    content = json.loads(path.read_text(encoding="utf-8"))
    raw = content.get("raw_text")
    body = raw if raw is not None else json.dumps(content["body"], ensure_ascii=False)
    return Sample(
        status=content["http"]["status"],
        headers=content["http"]["headers"],
        body=body.encode(),
        request=content.get("request", {}),
    )
