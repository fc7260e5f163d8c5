from tests.fixtures.postgres import database, new_database, postgres_server
from tests.integration.stage import folder

__all__ = ["database", "folder", "new_database", "postgres_server"]
