"""Where other programs read the database."""

from __future__ import annotations

from urllib.parse import quote

from chartinsightd.control.handlers import Handlers, NotNow
from chartinsightd.control.protocol.web import ReadingAddress
from chartinsightd.control.radar_operations import READING_ADDRESS


class ReadingAddresses:
    """Answers with the address of the embedded database, for a role that can change nothing.

    Args:
        dsn: its URL; empty for a database of the user's own.
        schema: where the tables are.
    """

    def __init__(self, dsn: str, schema: str) -> None:
        self._dsn = dsn
        self._schema = schema

    def register(self, handlers: Handlers) -> None:
        """Offer the operation."""
        handlers.add(READING_ADDRESS, self.address)

    async def address(self) -> ReadingAddress:
        """Return the address.

        Raises:
            NotNow: the database is the user's own: who may read it is for them to say.
        """
        if not self._dsn:
            raise NotNow(
                "The database is one of your own (database.dsn).",
                remedy="There: create role chartinsight_reader login password '…'; grant pg_read_all_data "
                f"to chartinsight_reader; read the schema {self._schema} as that role.",
            )
        options = quote(f"-c search_path={self._schema}", safe="")
        return ReadingAddress(dsn=f"{self._dsn}&options={options}")
