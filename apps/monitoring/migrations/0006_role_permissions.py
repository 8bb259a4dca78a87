"""What the roles may do with watched pairs and ledgers in the admin."""

from django.db import migrations

from apps.users.roles import OPERATOR, VIEWER, grant


def grant_permissions(apps, schema_editor):
    for model in ("monitoring", "monitoringpair", "chbatch", "feedgap"):
        grant(apps, role=VIEWER, app_label="monitoring", model=model, actions=("view",))
    for model in ("monitoring", "monitoringpair"):
        grant(apps, role=OPERATOR, app_label="monitoring", model=model, actions=("add", "change", "delete"))


class Migration(migrations.Migration):
    dependencies = [
        ("auth", "0012_alter_user_first_name_max_length"),
        ("contenttypes", "0002_remove_content_type_name"),
        ("monitoring", "0005_feed_gap"),
        ("users", "0002_roles"),
    ]
    operations = [migrations.RunPython(grant_permissions, migrations.RunPython.noop)]
