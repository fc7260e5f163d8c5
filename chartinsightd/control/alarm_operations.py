"""Operations of the alarms that people set. The listener for browsers does not offer them."""

from __future__ import annotations

from typing import Any

from chartinsightd.control.operations import Command, Operation, Query
from chartinsightd.control.protocol.alarms import AlarmAddRequest, AlarmRemoveRequest, AlarmRows
from chartinsightd.control.protocol.words import Nothing

ALARMS = Query(
    name="alarms",
    path="/v1/alarms",
    summary="The alarms that people set, and how each stands",
    request=Nothing,
    answer=AlarmRows,
)
ALARM_ADD = Command(
    name="alarm_add",
    path="/v1/alarms/add",
    summary="Set an alarm: a price, a move of the day, trading, a screen's new match",
    request=AlarmAddRequest,
    answer=AlarmRows,
    statuses=(404, 409, 422),
)
ALARM_REMOVE = Command(
    name="alarm_remove",
    path="/v1/alarms/remove",
    summary="Remove alarms",
    request=AlarmRemoveRequest,
    answer=AlarmRows,
    statuses=(404,),
)

ALARMING: tuple[Operation[Any, Any], ...] = (ALARMS, ALARM_ADD, ALARM_REMOVE)
"""Every operation of this module."""
