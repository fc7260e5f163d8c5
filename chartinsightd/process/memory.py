"""Gives memory back to the system that a load used and freed."""

from __future__ import annotations

import asyncio
import ctypes
import gc

import structlog

log = structlog.get_logger(__name__)

_EVERY_REAL_S = 60.0
_ARENAS = (-8, 1)
_MMAP_FROM_BYTES = (-3, 256 * 1024)
_TRIM_FROM_BYTES = (-1, 256 * 1024)
"""Parameters of glibc's `mallopt`, numbered as in `malloc.h`.

Without them each thread gets an arena of its own, and the allocator raises its thresholds with the pages of a
load and then keeps up to 64 MiB of freed memory.
"""


def limit_allocator() -> None:
    """Let glibc's allocator keep little of what is freed. Other C libraries are left alone."""
    set_parameter = getattr(ctypes.CDLL(None), "mallopt", None)
    if set_parameter is None:
        return
    for number, value in (_ARENAS, _MMAP_FROM_BYTES, _TRIM_FROM_BYTES):
        if not set_parameter(number, value):
            log.debug("memory.parameter_refused", number=number, value=value)


def keep_out_of_collections() -> None:
    """Take what is there now out of the collector's sight: modules and services live as long as the process.

    They are a hundred thousand objects, and looking through them holds up the event loop for 30 ms each time.
    """
    gc.collect()
    gc.freeze()


async def return_freed_memory() -> None:
    """Give the free pages within the heap back, once in a real minute; until cancelled.

    One trim takes some milliseconds, and less where nothing was freed.
    """
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    while True:
        if trim is not None:
            trim(0)
        await asyncio.sleep(_EVERY_REAL_S)
