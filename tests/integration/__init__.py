"""The promises on real processes: simulator, PostgreSQL and daemon from their own commands."""
