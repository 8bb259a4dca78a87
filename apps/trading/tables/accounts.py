"""Our accounts at exchanges, their sealed keys, and what is held in them."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from apps.feeds.models import MARKET_TYPES, Exchange, TradePair
from apps.trading.fields import ExactTextField, Money
from apps.trading.tables.words import MARGIN_CHOICES, POSITION_CHOICES, AccountMode


class Account(models.Model):
    """One account on one market of one exchange. Without an owner it belongs to the desk, that is to every trader."""

    id = models.AutoField(primary_key=True)
    name = models.CharField(max_length=100)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True)
    exchange = models.ForeignKey(Exchange, on_delete=models.PROTECT)
    market_type = models.CharField(max_length=20, choices=MARKET_TYPES)
    mode = models.CharField(max_length=10, choices=AccountMode.choices, db_default=AccountMode.PAPER)
    is_default = models.BooleanField(  # true or NULL: of each exchange and market one at most
        null=True, help_text="Takes the TRADE rows that name no account"
    )
    active = models.BooleanField(db_default=True, help_text="Off: closed, its orders stay to be read")
    exchange_account = models.CharField(max_length=100, db_default="", blank=True)  # where requests must carry it
    requested_mode = models.CharField(  # noqa: DJ001  # null: nothing waits for a second person
        max_length=10, choices=AccountMode.choices, null=True, blank=True
    )
    requested_by = models.CharField(max_length=150, db_default="", blank=True)  # names outlive their users
    approved_by = models.CharField(max_length=150, db_default="", blank=True)
    approved_at = models.DateTimeField(null=True, blank=True)
    maker_fee = Money(null=True, blank=True, help_text="Share of the traded value; empty: not asked yet")
    taker_fee = Money(null=True, blank=True)
    fees_at = models.DateTimeField(null=True, blank=True)
    reconciled_at = models.DateTimeField(null=True, blank=True)
    open_fence = models.BigIntegerField(
        null=True, blank=True, help_text="Orders leave while its lease has this fence: it was reconciled under it"
    )
    swept_ms = models.BigIntegerField(  # clock of the exchange
        null=True, blank=True, help_text="Its own trades are known in full until then"
    )
    dead_man_ms = models.BigIntegerField(  # clock of the exchange
        null=True, blank=True, help_text="When the exchange cancels all by itself; empty: not armed"
    )
    dead_man_fired_at = models.DateTimeField(null=True, blank=True, help_text="Its lanes rest until a person resumes")
    stopped_at = models.DateTimeField(null=True, blank=True, help_text="Last clean stop")
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    updated_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        db_table = "account"
        ordering = ["exchange", "market_type", "name"]
        constraints = [
            models.UniqueConstraint(fields=["exchange", "market_type", "name"], name="account_name_once"),
            models.UniqueConstraint(fields=["exchange", "market_type", "is_default"], name="account_default_once"),
            models.CheckConstraint(condition=Q(mode__in=AccountMode.values), name="account_mode"),
            models.CheckConstraint(
                condition=Q(is_default=None) | Q(is_default=True, mode=AccountMode.PAPER), name="account_default_paper"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.mode})"


class AccountKey(models.Model):
    """The key of an account, sealed for the executors. Its primary key is known before it is sealed, see `sealing`."""

    account = models.OneToOneField(Account, on_delete=models.CASCADE, primary_key=True, related_name="key")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT)  # who wrote it; part of the seal
    version = models.IntegerField(db_default=1)  # grows with every write; part of the seal
    key_id = models.CharField(max_length=64)  # which key of the ring opens it
    sealed = models.BinaryField(max_length=4096)
    hint = models.CharField(max_length=4, db_default="", blank=True)  # the last four of the key's own id
    permissions = models.JSONField(null=True)  # what the probe was told
    probed_at = models.DateTimeField(null=True)
    written_at = models.DateTimeField(db_default=Now())

    class Meta:
        db_table = "account_key"
        default_permissions = ()
        indexes = [models.Index(fields=["key_id"], name="account_key_ring")]
        constraints = [models.CheckConstraint(condition=Q(version__gte=1), name="account_key_version")]

    def __str__(self) -> str:
        return f"key of account {self.account_id}"


class Wallet(models.Model):
    """One asset of one account as it was last told, beside what our own fills make of it."""

    id = models.BigAutoField(primary_key=True)
    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="wallets")
    asset = models.CharField(max_length=30)
    free = Money(null=True)  # null: not told
    total = Money()
    expected = Money(null=True)  # total by our fills; null: not known yet
    mismatch_since = models.DateTimeField(null=True)
    exchange_ms = models.BigIntegerField(null=True)
    updated_at = models.DateTimeField(db_default=Now())

    class Meta:
        db_table = "wallet"
        ordering = ["account", "asset"]
        default_permissions = ("view",)
        constraints = [models.UniqueConstraint(fields=["account", "asset"], name="wallet_once")]

    def __str__(self) -> str:
        return f"{self.asset} of account {self.account_id}"


class Position(models.Model):
    """What an account holds of one instrument: by our fills, and as the exchange last told. Base currency, signed."""

    id = models.BigAutoField(primary_key=True)
    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="positions")
    pair = models.ForeignKey(TradePair, on_delete=models.PROTECT)
    side = models.CharField(max_length=5, choices=POSITION_CHOICES, db_default="net")
    amount = Money(db_default=0)
    entry_price = Money(null=True)  # average; null: nothing held
    realised = Money(db_default=0)  # profit in settle or quote currency, before fees and funding
    fees = Money(db_default=0)  # in the same currency: those in the base asset at the price of their fill
    funding = Money(db_default=0)  # received, negative is paid
    cost = Money(db_default=0)  # what it was opened for, with the sign of the amount; the entry price is made of it
    fee_sums = models.JSONField(null=True)  # asset -> paid, as text
    funding_sums = models.JSONField(null=True)  # asset -> received, as text
    opening = Money(db_default=0)  # held before our first fill, or by a person's word; never part of `amount`
    last_ms = models.BigIntegerField(null=True)  # of the latest fill that is counted: an earlier one is counted anew
    last_trade_id = ExactTextField(max_length=100, db_default="")
    told_amount = Money(null=True)  # null: never told
    told_entry_price = Money(null=True)
    told_unrealised = Money(null=True)
    liquidation_price = Money(null=True)
    leverage = Money(null=True)
    margin_mode = models.CharField(max_length=10, choices=MARGIN_CHOICES, null=True)  # noqa: DJ001  # null: not told
    exchange_ms = models.BigIntegerField(null=True)
    mismatch_since = models.DateTimeField(null=True)
    updated_at = models.DateTimeField(db_default=Now())

    class Meta:
        db_table = "position"
        ordering = ["account", "pair", "side"]
        default_permissions = ("view",)
        constraints = [models.UniqueConstraint(fields=["account", "pair", "side"], name="position_once")]

    def __str__(self) -> str:
        return f"{self.pair_id} {self.side} of account {self.account_id}"


class FundingPayment(models.Model):
    """Paid (negative) or received for holding a position; the same payment is told more than once."""

    id = models.BigAutoField(primary_key=True)
    account = models.ForeignKey(Account, on_delete=models.PROTECT)
    pair = models.ForeignKey(TradePair, on_delete=models.PROTECT)
    payment_id = ExactTextField(max_length=100)
    asset = models.CharField(max_length=30)
    amount = Money()
    rate = Money(null=True)
    exchange_ms = models.BigIntegerField()
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        db_table = "funding_payment"
        ordering = ["-exchange_ms", "-id"]
        default_permissions = ("view",)
        constraints = [models.UniqueConstraint(fields=["account", "pair", "payment_id"], name="funding_payment_once")]

    def __str__(self) -> str:
        return f"{self.amount} {self.asset} of account {self.account_id}"
