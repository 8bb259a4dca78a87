"""The tables of trading; they stand in `apps.trading.tables`."""

from apps.trading.tables.accounts import Account, AccountKey, FundingPayment, Position, Wallet
from apps.trading.tables.fills import OrderFill, StrayFill, TradeHistory
from apps.trading.tables.intents import OrderIntent
from apps.trading.tables.orders import Order, OrderEvent
from apps.trading.tables.paper import PaperEntry
from apps.trading.tables.risk import LanePause, RiskLimit, RiskState, RiskUsage, TradingSwitch
from apps.trading.tables.trades import MANUAL, Arbitrage, Trade, TradeType
from apps.trading.tables.words import (
    AccountMode,
    ArbitrageStatus,
    FillSource,
    HaltMode,
    IntentResult,
    IntentState,
)

__all__ = [
    "MANUAL",
    "Account",
    "AccountKey",
    "AccountMode",
    "Arbitrage",
    "ArbitrageStatus",
    "FillSource",
    "FundingPayment",
    "HaltMode",
    "IntentResult",
    "IntentState",
    "LanePause",
    "Order",
    "OrderEvent",
    "OrderFill",
    "OrderIntent",
    "PaperEntry",
    "Position",
    "RiskLimit",
    "RiskState",
    "RiskUsage",
    "StrayFill",
    "Trade",
    "TradeHistory",
    "TradeType",
    "TradingSwitch",
    "Wallet",
]
