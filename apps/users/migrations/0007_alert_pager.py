"""Alerts are told to a pager until it has them; some are over by themselves, and some stop nothing."""

import django.db.models.functions.datetime
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("users", "0006_alert"),
    ]

    operations = [
        migrations.AddField(model_name="alert", name="cleared_at", field=models.DateTimeField(null=True)),
        migrations.AddField(model_name="alert", name="escalates", field=models.BooleanField(db_default=True)),
        migrations.AddField(
            model_name="alert",
            name="page_at",
            field=models.DateTimeField(db_default=django.db.models.functions.datetime.Now()),
        ),
        migrations.AddField(
            model_name="alert",
            name="page_error",
            field=models.CharField(blank=True, db_default="", max_length=200),
        ),
        migrations.AddField(
            model_name="alert", name="page_tries", field=models.PositiveIntegerField(db_default=0)
        ),
        migrations.AddField(model_name="alert", name="paged_at", field=models.DateTimeField(null=True)),
        migrations.AddIndex(
            model_name="alert",
            index=models.Index(fields=["paged_at", "acked_at", "page_at"], name="alert_unpaged"),
        ),
    ]
