"""The trail tells who gave a code; administrators see whose second factor there is, and take it away."""

from django.db import migrations, models

from apps.users.roles import ADMIN, grant


def grant_permissions(apps, schema_editor):
    grant(apps, role=ADMIN, app_label="otp_totp", model="totpdevice", actions=("view", "delete"))


class Migration(migrations.Migration):
    dependencies = [
        ("otp_totp", "0003_add_timestamps"),
        ("users", "0008_exact_keys"),
    ]

    operations = [
        migrations.AddField(model_name="audit", name="second_factor", field=models.BooleanField(db_default=False)),
        migrations.RunPython(grant_permissions, migrations.RunPython.noop),
    ]
