"""What nobody knows of the real market data, as switches (API.md section 12)."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class MarketOptions:
    """The simulator's stand on open questions; defaults as API.md section 13 proposes."""

    after_market_in_daily: bool = False
    """Whether the daily open, high, low and close take in the after-market; its volume always counts."""
    late_print_since_reform: bool = True
    """Whether the 15:35 row still appears overnight since 2026-09-14."""
    halted_day_has_row: bool = True
    """Whether a day without trades has a flat daily row with zero volume, or none."""
    week_label_is_monday: bool = False
    """Whether a week is labelled by its Monday instead of by its first trading day."""
    adjusted_minutes: bool = False
    """Whether minute charts follow `upd_stkpc_tp` 1 across a split."""
    daily_source: str = ""
    """A folder's daily source to prefer (column `source`) where a symbol has it; empty: by rule."""
