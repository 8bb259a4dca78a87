"""What has ended is final: whether an order works is told by the time as well as by the status."""

from importlib import import_module

from django.db import migrations, models

FINAL = ("CANCELLED", "EXPIRED", "FILLED", "NOT_PLACED", "REJECTED")
move_by_itself = import_module("apps.trading.migrations.0009_order_events").move_by_itself


class Migration(migrations.Migration):
    dependencies = [("feeds", "0010_lease_torn"), ("trading", "0011_futures_expect_nothing")]
    operations = [
        migrations.AddConstraint(
            model_name="order",
            constraint=models.CheckConstraint(
                condition=models.Q(ended_at=None) | models.Q(status__in=FINAL), name="orders_ended_are_final"
            ),
        ),
        migrations.RunPython(move_by_itself, move_by_itself),
    ]
