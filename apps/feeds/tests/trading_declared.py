"""What single exchanges do not offer, or do otherwise: the conformance suite of trading leaves out nothing else.

A behaviour (the name of its test) that an exchange cannot show is named here with the reason; it is not run there.
"""

from apps.feeds.market import MarketType

NO_POSITIONS = "spot has no positions"
FUTURES_ONLY = (
    "test_a_position_is_what_was_bought_and_is_gone_when_it_is_closed",
    "test_a_short_position_is_negative",
    "test_long_and_short_positions_stand_side_by_side_in_hedge_mode",
    "test_orders_of_a_hedged_account_tell_their_position_by_rest_and_by_push",
    "test_an_order_that_closes_tells_the_position_that_it_closes",
    "test_orders_of_an_account_with_one_position_tell_no_side",
    "test_the_private_socket_tells_positions_as_they_change",
    "test_reduce_only_closes_a_position_and_opens_none",
    "test_reduce_only_without_a_position_is_refused",
    "test_leverage_and_margin_mode_are_set_and_setting_them_again_is_no_error",
    "test_leverage_that_is_not_offered_is_refused",
    "test_funding_is_paid_once_and_read_back",
    "test_what_futures_gain_or_lose_and_their_fees_are_in_the_balance_to_the_last_digit",
)
HEDGED = (
    "test_long_and_short_positions_stand_side_by_side_in_hedge_mode",
    "test_orders_of_a_hedged_account_tell_their_position_by_rest_and_by_push",
    "test_an_order_that_closes_tells_the_position_that_it_closes",
)
SPOT_ONLY = (
    "test_reduce_only_on_spot_is_refused_before_it_is_sent",
    "test_a_market_buy_may_spend_an_amount_of_money",
    "test_what_spot_pays_gets_and_its_fees_are_in_the_balances_to_the_last_digit",
)
# What is done, but otherwise.
BUYS_FOR_MONEY = {
    "htx-spot": "market buys take an amount in quote currency alone",
    "mexc-spot": "market buys are safe with an amount in quote currency alone",
}
NAMES_WORST = {"hyperliquid": "a market order is a limit order that ends at once"}
FORGETS = {"coinex": "an order that was cancelled without a fill is in no list"}
NO_AVERAGES = {"hyperliquid": "an order tells no average price, its fills do"}
# Refusals there have no codes, only words, and for some reasons none are known: the outcome is unknown then.
WORDLESS = {"hyperliquid": ("an id that is taken", "an asset that does not exist")}
LISTS_WITHOUT_FEES = {"coinex": "the list of all own trades has neither fees nor roles, that of an order has"}
EXPIRED_WITHOUT_CODE = {"kucoin-spot": "a parameter error, of which the text alone speaks of time"}
OTHERWISE = (BUYS_FOR_MONEY, NAMES_WORST, FORGETS, NO_AVERAGES, WORDLESS, LISTS_WITHOUT_FEES, EXPIRED_WITHOUT_CODE)

OPEN_BOOKS = "accounts are told to everybody who asks: the address is no secret"
NO_PASSPHRASE = "its keys have no passphrase"
NO_RENEWAL = "nothing is renewed while a socket is open"
WHOLE = ("binance", "bybit", "okx", "kucoin", "coinex", "htx", "mexc", "hyperliquid")
TIMERS = (
    "test_a_timer_that_nobody_begins_anew_ends_what_rests_and_it_is_told",
    "test_a_timer_that_is_begun_anew_is_one_timer_and_due_no_sooner",
    "test_a_timer_that_is_taken_off_ends_nothing",
)
NO_TIMER = {
    **dict.fromkeys(("binance-spot", "mexc", "coinex"), "no timer is documented that would cancel orders"),
    "kucoin-futures": "classic accounts have a timer on spot alone",
    "bybit": "its timer is switched on by hand, for those whom it knows",
}
# behaviour -> exchange, or exchange-market -> why it is not to be had there
DECLARED: dict[str, dict[str, str]] = {
    **dict.fromkeys(TIMERS, NO_TIMER),
    "test_a_wrong_passphrase_is_bad_credentials": {
        each: NO_PASSPHRASE for each in WHOLE if each not in ("okx", "kucoin")
    },
    "test_a_request_that_comes_too_late_is_refused_and_not_accepted": dict.fromkeys(
        ("htx", "mexc-futures", "kucoin-futures"), "requests have no expiry, a signature is old after a while"
    ),
    "test_an_order_of_too_little_is_refused": dict.fromkeys(
        ("okx-futures", "kucoin-futures", "mexc-futures", "htx-futures"), "the smallest order is one lot"
    ),
    "test_a_client_id_that_is_taken_is_told_as_such": dict.fromkeys(
        ("mexc-spot", "coinex"), "client ids need not be unique: ours are, see the tests of client ids"
    ),
    "test_a_key_that_does_not_exist_is_bad_credentials": {"hyperliquid": OPEN_BOOKS},
    "test_a_key_that_is_not_known_ends_the_socket_for_good_and_is_told": {"hyperliquid": OPEN_BOOKS},
    "test_a_key_that_is_bound_to_another_address_is_not_accepted": {"hyperliquid": "its keys are bound to no address"},
    "test_a_price_off_the_tick_is_refused_by_the_exchange_where_ours_is_outdated": {
        "hyperliquid": "how many digits a price may have is a rule, which no list tells: it is never sent"
    },
    "test_a_market_buy_may_spend_an_amount_of_money": {"hyperliquid": "amounts are in base currency alone"},
    "test_fees_are_those_of_the_account": {"mexc": "only what the market lists for everybody is known"},
    **dict.fromkeys(HEDGED, dict.fromkeys(("coinex", "hyperliquid"), "there is one position of an instrument")),
    "test_an_order_does_not_trade_with_another_of_its_account": {"mexc": "no flag is documented that would prevent it"},
    "test_open_orders_of_the_whole_market_are_listed": {"mexc-spot": "they are listed by symbol only"},
    "test_a_key_that_may_trade_is_told_as_such": {
        "mexc-futures": "what a key may do is told of spot alone",
        "coinex": "what a key may do is not told",
        "hyperliquid": "an agent's wallet may trade, and that is all",
    },
    "test_a_key_that_may_withdraw_is_told_as_such": {
        "coinex": "what a key may do is not told",
        "hyperliquid": "an agent's wallet cannot withdraw",
    },
    "test_a_token_is_renewed_while_its_socket_is_open": {
        **dict.fromkeys(("binance-spot", "bybit", "okx", "kucoin", "coinex", "htx", "hyperliquid"), NO_RENEWAL),
        "mexc-futures": NO_RENEWAL,
    },
}


def reason(exchange: str, market: MarketType, behaviour: str) -> str | None:
    """Why the behaviour is not to be had there, None where it is."""
    if market is MarketType.SPOT and behaviour in FUTURES_ONLY:
        return NO_POSITIONS
    if market is MarketType.FUTURES and behaviour in SPOT_ONLY:
        return "it is of spot"
    told = DECLARED.get(behaviour, {})
    return told.get(exchange) or told.get(f"{exchange}-{market}")
