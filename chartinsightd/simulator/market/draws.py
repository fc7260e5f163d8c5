"""Numbers that look random and are a pure function of their key, on every machine and Python version."""

from __future__ import annotations

import hashlib

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Keys = NDArray[np.uint64]

_STEP = np.uint64(0x9E3779B97F4A7C15)
_MIX_1 = np.uint64(0xBF58476D1CE4E5B9)
_MIX_2 = np.uint64(0x94D049BB133111EB)


def key_of(*parts: object) -> int:
    """Return 64 bits that stand for the parts; the same for the same texts, always."""
    text = "/".join(str(part) for part in parts)
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "little")


def mixed(keys: Keys) -> Keys:
    """Return each key scrambled.

    Source: SplitMix64 (Steele, Lea, Flood: Fast splittable pseudorandom number generators, 2014).
    """
    z = (keys ^ (keys >> np.uint64(30))) * _MIX_1
    z = (z ^ (z >> np.uint64(27))) * _MIX_2
    return z ^ (z >> np.uint64(31))


def _as_shares(keys: Keys) -> Floats:
    """Return each key as a number in [0, 1): its upper 53 bits."""
    return (keys >> np.uint64(11)).astype(np.float64) * 2.0**-53


def uniforms(key: int, count: int) -> Floats:
    """Return `count` numbers in [0, 1); a longer answer begins with the shorter one."""
    keys = np.arange(1, count + 1, dtype=np.uint64) * _STEP + np.uint64(key)
    return _as_shares(mixed(keys))


def uniforms_of(key: int, items: NDArray[np.int64], count: int) -> Floats:
    """Return `count` numbers in [0, 1) for each item, one row for each item, independent of other items."""
    seeds = mixed(items.astype(np.uint64) * _STEP + np.uint64(key))
    steps = np.arange(1, count + 1, dtype=np.uint64) * _STEP
    return _as_shares(mixed(seeds[:, None] + steps[None, :]))


def bells(key: int, count: int) -> Floats:
    """Return `count` numbers like a normal distribution's (mean 0, deviation 1), none beyond 3.5."""
    bits = mixed(np.arange(1, count + 1, dtype=np.uint64) * _STEP + np.uint64(key))
    # Four sixteenths of each 64 bits are four draws: a quarter of the work of hashing four times.
    summed = sum((bits >> np.uint64(shift)) & np.uint64(0xFFFF) for shift in (0, 16, 32, 48))
    numbers: Floats = (np.asarray(summed, dtype=np.float64) / 0xFFFF - 2.0) * 3.0**0.5
    return numbers
