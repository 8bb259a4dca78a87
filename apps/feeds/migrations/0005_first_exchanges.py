"""The exchanges that have a driver."""

from django.db import migrations

EXCHANGES = {"binance": "Binance", "bybit": "Bybit", "okx": "OKX"}


def add_exchanges(apps, schema_editor):
    exchanges = apps.get_model("feeds", "Exchange").objects
    for code, name in EXCHANGES.items():
        exchanges.get_or_create(code=code, defaults={"name": name})


class Migration(migrations.Migration):
    dependencies = [("feeds", "0004_lease")]
    operations = [migrations.RunPython(add_exchanges, migrations.RunPython.noop)]
