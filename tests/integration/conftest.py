from tests.support.harness import folder
from tests.support.postgres import database, new_database, postgres_server

__all__ = ["database", "folder", "new_database", "postgres_server"]
