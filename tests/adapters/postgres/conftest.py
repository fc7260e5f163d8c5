from tests.fixtures.postgres import _template, database, new_database, postgres_server, store

__all__ = ["_template", "database", "new_database", "postgres_server", "store"]
