"""Alerts wait for a person in a table of their own."""

import django.db.models.functions.datetime
from django.db import migrations, models

from apps.users.roles import ADMIN, grant


def grant_permissions(apps, schema_editor):
    grant(apps, role=ADMIN, app_label="users", model="alert", actions=("view",))


class Migration(migrations.Migration):
    dependencies = [
        ("users", "0005_role_permissions"),
    ]

    operations = [
        migrations.CreateModel(
            name="Alert",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("kind", models.CharField(max_length=30)),
                ("scope", models.CharField(blank=True, db_default="", max_length=10)),
                ("scope_id", models.CharField(blank=True, db_default="", max_length=50)),
                ("subject", models.CharField(blank=True, db_default="", max_length=100)),
                ("text", models.CharField(max_length=500)),
                ("at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ("acked_by", models.CharField(blank=True, db_default="", max_length=150)),
                ("acked_at", models.DateTimeField(null=True)),
                ("escalated_at", models.DateTimeField(null=True)),
            ],
            options={
                "db_table": "alert",
                "ordering": ["-id"],
                "default_permissions": ("view",),
                "indexes": [models.Index(fields=["acked_at", "scope", "scope_id", "at"], name="alert_open")],
            },
        ),
        migrations.RunPython(grant_permissions, migrations.RunPython.noop),
    ]
