"""Whether data flows, and who is told when it does not."""
