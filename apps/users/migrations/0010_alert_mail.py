"""Alerts are written to people as well, and each has how that stands."""

import django.db.models.functions.datetime
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("users", "0009_second_factor"),
    ]

    operations = [
        migrations.AddField(
            model_name="alert",
            name="mail_at",
            field=models.DateTimeField(db_default=django.db.models.functions.datetime.Now()),
        ),
        migrations.AddField(
            model_name="alert",
            name="mail_error",
            field=models.CharField(blank=True, db_default="", max_length=200),
        ),
        migrations.AddField(
            model_name="alert", name="mail_tries", field=models.PositiveIntegerField(db_default=0)
        ),
        migrations.AddField(model_name="alert", name="mailed_at", field=models.DateTimeField(null=True)),
        migrations.AddIndex(
            model_name="alert",
            index=models.Index(fields=["mailed_at", "acked_at", "mail_at"], name="alert_unmailed"),
        ),
    ]
