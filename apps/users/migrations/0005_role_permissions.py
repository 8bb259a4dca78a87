"""What the roles may do with people and their trail in the admin."""

from django.db import migrations

from apps.users.roles import ADMIN, grant


def grant_permissions(apps, schema_editor):
    grant(apps, role=ADMIN, app_label="users", model="user", actions=("view", "add", "change", "delete"))
    grant(apps, role=ADMIN, app_label="users", model="audit", actions=("view",))


class Migration(migrations.Migration):
    dependencies = [
        ("auth", "0012_alter_user_first_name_max_length"),
        ("contenttypes", "0002_remove_content_type_name"),
        ("users", "0004_idempotent_answer"),
    ]
    operations = [migrations.RunPython(grant_permissions, migrations.RunPython.noop)]
