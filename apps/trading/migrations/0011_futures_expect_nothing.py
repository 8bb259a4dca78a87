"""On futures our fills move no wallet, so nothing is expected of one: the first default accounts were given a figure."""

from django.db import migrations


def forget(apps, schema_editor):
    wallets = apps.get_model("trading", "Wallet").objects.using(schema_editor.connection.alias)
    wallets.filter(account__market_type="futures").exclude(expected=None).update(expected=None, mismatch_since=None)


class Migration(migrations.Migration):
    dependencies = [("trading", "0010_orders_ended")]

    operations = [migrations.RunPython(forget, migrations.RunPython.noop)]
