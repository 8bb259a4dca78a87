"""Whose a key of HTX is, and what it may do. Orders and balances of spot name the wallet, permissions the user."""

from collections.abc import Sequence

from msgspec import Struct

from apps.feeds.drivers import wire
from apps.feeds.drivers.base import Request
from apps.feeds.drivers.htx import signing
from apps.feeds.drivers.htx import trading_facts as facts
from apps.feeds.drivers.htx.answers import Data, Rows, read
from apps.feeds.drivers.htx.facts import SPOT
from apps.feeds.drivers.trading import Answer
from apps.feeds.errors import BadCredentials, MalformedFrame, NotPermitted
from apps.feeds.orders import Credentials, Permissions


class Account(Struct):
    id: wire.Id
    type: wire.Word
    state: wire.Word


class Key(Struct, rename="camel"):
    permission: wire.Words
    ip_addresses: wire.Words | None = None


_accounts = wire.decoder(Rows[Account])
_uid = wire.decoder(Data[wire.Id])
_keys = wire.decoder(Rows[Key])


def account_requests(keys: Credentials, now_ms: int) -> Sequence[Request]:
    return [
        signing.get(keys, SPOT, facts.ACCOUNT, "/v1/account/accounts", {}, now_ms),
        signing.get(keys, SPOT, facts.ACCOUNT, "/v2/user/uid", {}, now_ms),
    ]


def parse_account(answers: Sequence[Answer]) -> str:
    """The wallet of spot and the user, as `wallet:user`."""
    accounts, uid = (read(_accounts, SPOT, answers[0]).data, read(_uid, SPOT, answers[1]).data)
    wallets = [row.id for row in accounts or () if (row.type, row.state) == (facts.WALLET, "working")]
    if not wallets or uid is None:
        raise NotPermitted("the key has no spot account that works")
    return f"{wallets[0]}:{uid}"


def wallet_id(keys: Credentials) -> str:
    """Of spot. Raise BadCredentials where it was not asked for yet."""
    return _named(keys)[0]


def _named(keys: Credentials) -> tuple[str, str]:
    wallet, _, uid = keys.account.partition(":")
    if not wallet or not uid:
        raise BadCredentials("the account of the key is not known yet: ask for it first")
    return wallet, uid


def permissions(keys: Credentials, now_ms: int) -> Request:
    params = {"uid": _named(keys)[1], "accessKey": keys.key}
    return signing.get(keys, SPOT, facts.ACCOUNT, "/v2/user/api-key", params, now_ms)


def parse_permissions(answer: Answer) -> Permissions:
    """One row: of the key that was asked for. The permission to trade is of both markets."""
    rows = read(_keys, SPOT, answer).data
    if not rows or len(rows) > 1:
        raise MalformedFrame("not one key")
    named = {word.strip().lower() for word in rows[0].permission.split(",")}
    trades = "trade" in named
    return Permissions(
        read="readonly" in named or trades,
        trade_spot=trades,
        trade_futures=trades,
        withdraw="withdraw" in named,
        ip_bound=bool(rows[0].ip_addresses),
    )
