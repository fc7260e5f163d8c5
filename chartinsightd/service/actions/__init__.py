"""Finding corporate actions and keeping their ledger."""
