"""UPDATED_AT moves in the database, whoever updates the row.

SQLite forgets a trigger when a later migration rebuilds its table: such a migration runs `moves_by_itself` again.
"""

from django.db import migrations

MYSQL = (
    "ALTER TABLE MONITORING MODIFY UPDATED_AT datetime(6) NOT NULL"
    " DEFAULT CURRENT_TIMESTAMP(6) ON UPDATE CURRENT_TIMESTAMP(6)"
)
SQLITE = """
    CREATE TRIGGER IF NOT EXISTS MONITORING_UPDATED_AT AFTER UPDATE ON MONITORING
    WHEN NEW.UPDATED_AT IS OLD.UPDATED_AT
    BEGIN
        UPDATE MONITORING SET UPDATED_AT = STRFTIME('%Y-%m-%d %H:%M:%f', 'NOW') WHERE ID = NEW.ID;
    END
"""


def moves_by_itself(apps, schema_editor):
    schema_editor.execute({"mysql": MYSQL, "sqlite": SQLITE}[schema_editor.connection.vendor], params=None)


def stays(apps, schema_editor):
    if schema_editor.connection.vendor == "sqlite":
        schema_editor.execute("DROP TRIGGER IF EXISTS MONITORING_UPDATED_AT")
    else:
        schema_editor.execute(MYSQL.split(" ON UPDATE")[0], params=None)


class Migration(migrations.Migration):
    atomic = False  # MySQL alters tables outside of transactions only
    dependencies = [("monitoring", "0001_monitoring")]
    operations = [migrations.RunPython(moves_by_itself, stays)]
