"""PostgreSQL: the embedded server, the schema and the store."""
