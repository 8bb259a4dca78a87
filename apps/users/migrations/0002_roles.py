"""The four roles are groups."""

from django.db import migrations

ROLES = ("viewer", "operator", "trader", "admin")


def add_groups(apps, schema_editor):
    groups = apps.get_model("auth", "Group").objects
    for name in ROLES:
        groups.get_or_create(name=name)


class Migration(migrations.Migration):
    dependencies = [("users", "0001_user")]
    operations = [migrations.RunPython(add_groups, migrations.RunPython.noop)]
