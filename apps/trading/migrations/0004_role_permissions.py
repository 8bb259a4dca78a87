"""What the roles may do with the tables of trading in the admin: money is looked at, and TRADE rows are a trader's."""

from django.db import migrations

from apps.users.roles import ADMIN, TRADER, VIEWER, grant

SEEN = ("tradetype", "tradingswitch", "riskstate", "risklimit", "trade", "tradehistory", "arbitrage", "order", "orderevent", "orderfill")
OWN = ("account", "orderintent", "strayfill", "wallet", "position", "fundingpayment", "riskusage", "lanepause")


def grant_permissions(apps, schema_editor):
    for model in SEEN:
        grant(apps, role=VIEWER, app_label="trading", model=model, actions=("view",))
    for model in OWN:
        grant(apps, role=TRADER, app_label="trading", model=model, actions=("view",))
    grant(apps, role=TRADER, app_label="trading", model="trade", actions=("add", "change"))
    grant(apps, role=ADMIN, app_label="trading", model="trade", actions=("delete",))


class Migration(migrations.Migration):
    dependencies = [
        ("auth", "0012_alter_user_first_name_max_length"),
        ("contenttypes", "0002_remove_content_type_name"),
        ("trading", "0003_first_rows"),
        ("users", "0002_roles"),
    ]
    operations = [migrations.RunPython(grant_permissions, migrations.RunPython.noop)]
