"""What the roles may do with exchanges and instruments in the admin."""

from django.db import migrations

from apps.users.roles import ADMIN, VIEWER, grant


def grant_permissions(apps, schema_editor):
    for model in ("exchange", "tradepair", "daemon", "lease"):
        grant(apps, role=VIEWER, app_label="feeds", model=model, actions=("view",))
    grant(apps, role=ADMIN, app_label="feeds", model="exchange", actions=("change",))


class Migration(migrations.Migration):
    dependencies = [
        ("auth", "0012_alter_user_first_name_max_length"),
        ("contenttypes", "0002_remove_content_type_name"),
        ("feeds", "0005_first_exchanges"),
        ("users", "0002_roles"),
    ]
    operations = [migrations.RunPython(grant_permissions, migrations.RunPython.noop)]
