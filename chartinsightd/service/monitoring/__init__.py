"""Whether data flows, and the alerts when it does not."""
