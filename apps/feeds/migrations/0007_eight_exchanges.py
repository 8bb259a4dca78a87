"""The exchanges whose drivers came later."""

from django.db import migrations

EXCHANGES = {
    "kucoin": "KuCoin",
    "coinex": "CoinEx",
    "htx": "HTX",
    "mexc": "MEXC",
    "hyperliquid": "Hyperliquid",
}


def add_exchanges(apps, schema_editor):
    exchanges = apps.get_model("feeds", "Exchange").objects
    for code, name in EXCHANGES.items():
        exchanges.get_or_create(code=code, defaults={"name": name})


class Migration(migrations.Migration):
    dependencies = [("feeds", "0006_role_permissions")]
    operations = [migrations.RunPython(add_exchanges, migrations.RunPython.noop)]
