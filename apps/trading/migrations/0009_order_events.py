"""Each order knows the number of its last event: whoever has locked its row writes the next one without looking."""

from importlib import import_module

from django.db import migrations, models


def count_events(apps, schema_editor):
    events = apps.get_model("trading", "OrderEvent").objects.order_by()
    last = events.filter(order=models.OuterRef("pk")).values("order").annotate(last=models.Max("seq")).values("last")
    orders = apps.get_model("trading", "Order").objects
    orders.filter(pk__in=events.values("order")).update(events_told=models.Subquery(last))


def move_by_itself(apps, schema_editor):
    """SQLite has rebuilt the table, and forgotten its trigger."""
    if schema_editor.connection.vendor == "sqlite":
        import_module("apps.trading.migrations.0002_updated_at").move_by_itself(apps, schema_editor)


class Migration(migrations.Migration):
    dependencies = [("trading", "0008_open_fence")]
    operations = [
        migrations.AddField(
            model_name="order",
            name="events_told",
            field=models.IntegerField(db_column="EVENTS", db_default=0),
        ),
        migrations.RunPython(count_events, migrations.RunPython.noop),
        migrations.RunPython(move_by_itself, move_by_itself),
    ]
