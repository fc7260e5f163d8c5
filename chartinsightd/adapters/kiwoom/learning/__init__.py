"""Asks Kiwoom, through the gate like everybody, what no source knows (kiwoom.md#unknown)."""
