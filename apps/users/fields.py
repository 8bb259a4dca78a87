"""Columns that Django has no word for."""

from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper


class ExactTextField(models.CharField):
    """Text of which every letter counts: MySQL would take `aB` for `Ab`, and two orders for one."""

    def db_type(self, connection: BaseDatabaseWrapper) -> str:
        text = super().db_type(connection)
        return f"{text} CHARACTER SET utf8mb4 COLLATE utf8mb4_bin" if connection.vendor == "mysql" else str(text)
