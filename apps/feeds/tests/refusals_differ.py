"""Where our word of a refusal is not ccxt's, and why. What is not listed must agree, and what is listed must differ."""

from apps.feeds.market import MarketType
from apps.feeds.tests.refusals_told import FUTURES, SPOT

Place = tuple[str, MarketType]
BOTH = (SPOT, FUTURES)

# Theirs: the fate is unknown, or the exchange is away. Ours: it was not placed.
DECIDED: dict[Place, dict[str, str]] = {
    ("binance", SPOT): {
        "-1008": "throttled: told before the request is taken, so its documents",
        "-1112": "a market order met an empty book",
    },
    ("binance", FUTURES): {
        "-1008": "throttled: told before the request is taken, so its documents",
        "-1112": "a market order met an empty book",
        "-2020": "it could not be filled, and so nothing of it stands",
        "-2023": "the account is being liquidated and takes no orders",
    },
    ("mexc", FUTURES): {
        "604": "keys without the permission to trade are told so, not a passing maintenance",
        "801": "keys without the permission to trade are told so, not a passing maintenance",
    },
}

TAKEN = "our id is taken: something of that name is there and is asked for"
KEY = "of the account or its key: a person is told, another order would be refused alike"
CLOCK = "of the time that the request names: it is measured anew, the key is right"
OTHERWISE: dict[Place, dict[str, str]] = {
    ("binance", SPOT): {"-1016": KEY, "-1125": "the listen key is gone: a new one is made, the key is right"},
    ("binance", FUTURES): {
        "-1016": KEY,
        "-1125": "the listen key is gone: a new one is made, the key is right",
        "-2016": KEY,
        "-4044": KEY,
        "-4116": TAKEN,
    },
    **{
        ("bybit", market): {
            "10009": "our address is shut out",
            **dict.fromkeys(("10014", "110030", "110072", "170141"), TAKEN),
            "110065": "the contract takes no orders now",
            "110066": KEY,
            "170209": KEY,
            "20003": "too fast",
        }
        for market in BOTH
    },
    **{
        ("okx", market): {
            "50061": "too many orders of the sub-account",
            "50100": KEY,
            **dict.fromkeys(("50107", "50112"), CLOCK),
            **dict.fromkeys(("51011", "51016"), TAKEN),
        }
        for market in BOTH
    },
    **{
        ("kucoin", market): {
            **dict.fromkeys(("126033", "126044"), TAKEN),
            **dict.fromkeys(("400200", "330005", "330012"), KEY),
        }
        for market in BOTH
    },
    ("htx", FUTURES): {"4007": KEY},
    ("mexc", SPOT): {
        **dict.fromkeys(("400", "10072", "700006"), KEY),
        "30018": "no market orders of that pair",
    },
    **{("hyperliquid", market): {"User or API Wallet ": "names whom a wrong signature stands for"} for market in BOTH},
}

# Ours: the exchange does not know the order. Theirs: something else.
NOT_THERE: dict[Place, dict[str, str]] = {
    ("binance", SPOT): {"-2026": "it ended without a fill ninety days ago"},
    ("htx", FUTURES): {"1051": "there is nothing to cancel"},
    ("mexc", SPOT): dict.fromkeys(
        ("-2011", "22222", "30026"), "ccxt has one class for all that is wrong with a request"
    ),
}
