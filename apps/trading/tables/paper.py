"""The ledger of paper accounts: each change of a wallet, as the matcher booked it."""

from django.db import models
from django.db.models.functions import Now

from apps.trading.fields import ExactTextField, Money
from apps.trading.paper.ledger import EntryKind
from apps.trading.tables.accounts import Account
from apps.trading.tables.kept import Kept, KeptQuerySet


class PaperEntry(Kept):
    """All of one account and asset add up to its wallet. Written in the transaction of the fill that it is about."""

    id = models.BigAutoField(primary_key=True)
    account = models.ForeignKey(Account, on_delete=models.PROTECT)
    trade_id = ExactTextField(max_length=100, db_default="")  # empty: a deposit
    kind = models.CharField(max_length=10, choices=[(kind.value, kind.value) for kind in EntryKind])
    asset = models.CharField(max_length=30)
    amount = Money()  # positive came in
    exchange_ms = models.BigIntegerField()
    created_at = models.DateTimeField(db_default=Now())

    objects = KeptQuerySet.as_manager()

    class Meta:
        db_table = "paper_entry"
        ordering = ["-id"]
        default_permissions = ("view",)
        constraints = [
            models.UniqueConstraint(fields=["account", "trade_id", "kind", "asset"], name="paper_entry_once")
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.amount} {self.asset} of account {self.account_id}"
