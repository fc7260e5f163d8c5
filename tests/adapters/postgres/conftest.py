from tests.fixtures.postgres import database, new_database, postgres_server, store

__all__ = ["database", "new_database", "postgres_server", "store"]
