"""UPDATED_AT moves in the database, whoever updates the row.

SQLite forgets a trigger when a later migration rebuilds its table: such a migration runs `move_by_itself` again.
"""

from django.db import migrations

TABLES = (("TRADE", "UPDATED_AT"), ("ORDERS", "UPDATED_AT"), ("account", "updated_at"))
MYSQL = (
    "ALTER TABLE {table} MODIFY {column} datetime(6) NOT NULL"
    " DEFAULT CURRENT_TIMESTAMP(6) ON UPDATE CURRENT_TIMESTAMP(6)"
)
SQLITE = """
    CREATE TRIGGER IF NOT EXISTS {table}_{column} AFTER UPDATE ON {table}
    WHEN NEW.{column} IS OLD.{column}
    BEGIN
        UPDATE {table} SET {column} = STRFTIME('%Y-%m-%d %H:%M:%f', 'NOW') WHERE ID = NEW.ID;
    END
"""


def move_by_itself(apps, schema_editor):
    statement = {"mysql": MYSQL, "sqlite": SQLITE}[schema_editor.connection.vendor]
    for table, column in TABLES:
        schema_editor.execute(statement.format(table=table, column=column), params=None)


def stay(apps, schema_editor):
    sqlite = schema_editor.connection.vendor == "sqlite"
    statement = "DROP TRIGGER IF EXISTS {table}_{column}" if sqlite else MYSQL.split(" ON UPDATE")[0]
    for table, column in TABLES:
        schema_editor.execute(statement.format(table=table, column=column), params=None)


class Migration(migrations.Migration):
    atomic = False  # MySQL alters tables outside of transactions only
    dependencies = [("trading", "0001_tables")]
    operations = [migrations.RunPython(move_by_itself, stay)]
