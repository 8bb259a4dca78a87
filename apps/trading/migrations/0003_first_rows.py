"""What every system begins with: a type per strategy, a paper account per market, and open switches.

What is on paper may run. An account that reaches an exchange is made with its own switch off, see R1.
"""

from decimal import Decimal

from django.db import migrations

TRADE_TYPES = {
    "grid": "Orders in layers around the price, each step apart by a share of it",
    "inter_exchange": "Buys on one exchange and sells on another, both at the market",
    "triangle": "Three pairs of one exchange, round and back",
    "limit_market": "A resting order first; once it fills, its hedge at the market",
    "manual": "Orders by hand",
}
PAPER_BALANCES = {"USDT": Decimal(10_000), "USDC": Decimal(10_000)}  # the quote currencies of the starter set


def add_rows(apps, schema_editor):
    for name, description in TRADE_TYPES.items():
        apps.get_model("trading", "TradeType").objects.get_or_create(name=name, defaults={"description": description})
    apps.get_model("trading", "TradingSwitch").objects.get_or_create(pk=1)  # live money off, no build allowed yet
    open_switch(apps, "global", "")
    for exchange in apps.get_model("feeds", "Exchange").objects.all():
        open_switch(apps, "exchange", exchange.code)
        for market_type in ("spot", "futures"):
            add_paper_account(apps, exchange, market_type)


def add_paper_account(apps, exchange, market_type):
    account, _ = apps.get_model("trading", "Account").objects.get_or_create(
        exchange=exchange, market_type=market_type, is_default=True, defaults={"name": "paper", "mode": "paper"}
    )
    for asset, total in PAPER_BALANCES.items():
        apps.get_model("trading", "Wallet").objects.get_or_create(
            account=account, asset=asset, defaults={"free": total, "total": total, "expected": total}
        )
    apps.get_model("trading", "RiskUsage").objects.get_or_create(account=account)
    open_switch(apps, "account", str(account.pk))


def open_switch(apps, scope, scope_id):
    apps.get_model("trading", "RiskState").objects.get_or_create(
        scope=scope, scope_id=scope_id, defaults={"state": "ACTIVE", "by": "system", "reason": "paper runs from the start"}
    )


class Migration(migrations.Migration):
    dependencies = [("feeds", "0009_instrument_number"), ("trading", "0002_updated_at")]
    operations = [migrations.RunPython(add_rows, migrations.RunPython.noop)]
