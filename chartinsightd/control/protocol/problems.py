"""Metrics, and why a request was not done."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import (
    Field,
)

from chartinsightd.control.protocol.words import Message


class Metric(Message):
    """One measured value with its labels, for Prometheus."""

    name: Annotated[str, Field(pattern=r"^[a-z_][a-z0-9_]*$")]
    """With its unit: `chartinsight_rows_inserted_total`."""
    help: str
    kind: Literal["counter", "gauge"]
    value: float
    labels: Mapping[str, str] = Field(default_factory=dict)


class Problem(Message):
    """Why a request was not done (RFC 9457, `application/problem+json`)."""

    type: str = "about:blank"
    """Names the kind of problem: `urn:chartinsight:not-found`."""
    title: str
    status: Annotated[int, Field(ge=400, le=599)]
    detail: str = ""
    remedy: str = ""
    """What the person should do next; empty where waiting is enough."""
    errors: tuple[str, ...] = ()
    """One line for each wrong field of a request."""
