"""The one statement of `facts` as a table: which columns of which rows stand for what."""

from apps.trading.risk import limits

OUTCOMES = limits.OUTCOMES_SEEN + 1  # one may be on its way
# Left to itself MariaDB reads and sorts all orders that the lane ever had: with 10^6 rows that takes seconds. And where
# many orders work it reads everybody's, to ask for each whose it is.
WAYS = {
    "mysql": {
        "then": "STRAIGHT_JOIN",
        "amounts": "SUM(t.AMOUNT_FILLED)",
        "recent": " FORCE INDEX (orders_recent)",
        "not_ended": " FORCE INDEX (orders_ended)",
        "waiting": " FORCE INDEX (order_intent_account)",
    },
    "sqlite": {
        "then": "CROSS JOIN",
        "amounts": "GROUP_CONCAT(t.AMOUNT_FILLED)",  # texts, which only Decimal adds up exactly
        "recent": "",
        "not_ended": "",
        "waiting": "",
    },
}

# the columns of the one statement; what a kind of row does not have is NULL
COLUMNS = ("a", "b", "c", "word", "other", "asset", "n1", "n2", "n3", "n4", "at1", "at2")

FRIENDS = """FROM account a {then} account f ON f.exchange_id = a.exchange_id AND f.mode = a.mode
        AND (f.owner_id = a.owner_id OR (f.owner_id IS NULL AND a.owner_id IS NULL))"""

FILLED = {
    "c": "o.PAIR_ID",
    "word": "o.SIDE",
    "other": "o.POSITION_SIDE",
    "asset": "(SELECT {amounts} FROM ORDER_TRANSACTIONS t WHERE t.ORDER_ID = o.ID)",
    "n1": "o.FILLED",
}

# kind: its columns, and where they come from. `f` are the accounts of the same owner, exchange and mode.
KINDS: dict[str, tuple[dict[str, str], str]] = {
    "account": (
        {
            "a": "dead_man_ms",
            "b": "active",
            "c": "(SELECT e.ENABLED FROM EXCHANGE e WHERE e.ID = account.exchange_id)",
            "word": "mode",
            "at1": "dead_man_fired_at",
        },
        "FROM account WHERE id = %(account)s",
    ),
    "lease": ({"a": "fence", "at1": "expires_at"}, "FROM lease WHERE resource = %(lease)s"),
    "order": (
        {
            "a": "o.INTENT_ID",
            "b": "o.ACCOUNT_ID",
            "c": "o.PAIR_ID",
            "word": "o.SIDE",
            "other": "o.STATUS",
            "asset": "i.reserved_asset",
            "n1": "o.AMOUNT",
            "n2": "o.FILLED",
            "n3": "o.PRICE",
            "n4": "i.reserved_amount",
            "at1": "o.CREATED_AT",
        },
        FRIENDS
        + """ {then} ORDERS o{not_ended} ON o.ACCOUNT_ID = f.id AND o.ENDED_AT IS NULL
        LEFT JOIN order_intent i ON i.id = o.INTENT_ID WHERE a.id = %(account)s AND o.STATUS IN ({working})""",
    ),
    # what was filled of orders, and what their fills tell of it
    "partial": (FILLED, "FROM ORDERS o WHERE o.ACCOUNT_ID = %(account)s AND o.STATUS = 'PARTIAL'"),
    "untold": (
        FILLED,
        """FROM ORDERS o{not_ended} WHERE o.ACCOUNT_ID = %(account)s AND o.ENDED_AT > %(untold)s
        AND o.NEXT_CHECK_AT IS NOT NULL""",
    ),
    "intent": (
        {
            "a": "i.id",
            "b": "i.account_id",
            "c": "i.pair_id",
            "word": "i.side",
            "asset": "i.reserved_asset",
            "n1": "i.amount",
            "n3": "i.price",
            "n4": "i.reserved_amount",
            "at1": "i.created_at",
        },
        FRIENDS
        + """ {then} order_intent i{waiting} ON i.account_id = f.id AND i.state = '{new}'
        WHERE a.id = %(account)s""",
    ),
    "sent": (
        {"c": "PAIR_ID", "word": "SIDE", "n1": "AMOUNT", "n3": "PRICE", "at1": "CREATED_AT"},
        "FROM ORDERS WHERE ACCOUNT_ID = %(account)s AND CREATED_AT > %(sent)s AND INTENT_ID IS NOT NULL",
    ),
    "executions": (
        {"a": "COUNT(*)", "at1": "MIN(CREATED_AT)"},
        "FROM ORDERS WHERE TRADE_ID = %(trade)s AND CREATED_AT > %(executed)s AND INTENT_ID IS NOT NULL",
    ),
    "unknown": (
        {"at1": "UNKNOWN_AT"},
        "FROM ORDERS WHERE ACCOUNT_ID = %(account)s AND UNKNOWN_AT > %(unknown)s",
    ),
    "outcome": (
        {"a": "ID", "other": "STATUS", "at1": "CREATED_AT", "at2": "ENDED_AT"},
        """FROM (SELECT ID, STATUS, CREATED_AT, ENDED_AT FROM ORDERS{recent} WHERE ACCOUNT_ID = %(account)s
        AND PAIR_ID = %(pair)s AND INTENT_ID IS NOT NULL ORDER BY ID DESC LIMIT {outcomes}) last_of_lane""",
    ),
    "pause": (
        {"asset": "lane", "at1": "at", "at2": "until"},
        "FROM lane_pause WHERE account_id = %(account)s AND at > %(paused)s",
    ),
    "limit": (
        {"asset": "name", "n1": "value"},
        """FROM risk_limit WHERE (scope = 'global' AND scope_id = '')
        OR (scope = 'exchange' AND scope_id = %(exchange)s)
        OR (scope = 'account' AND scope_id = %(account_text)s) OR (scope = 'trade' AND scope_id = %(trade_text)s)
        OR (scope = 'pair' AND scope_id = %(pair_text)s)""",
    ),
    "wallet": (
        {"asset": "asset", "n1": "free", "n2": "total", "n3": "expected", "at1": "updated_at", "at2": "mismatch_since"},
        "FROM wallet WHERE account_id = %(account)s",
    ),
    "position": (
        {
            "c": "pair_id",
            "word": "side",
            "n1": "amount",
            "n2": "told_amount",
            "n3": "leverage",
            "n4": "opening",
            "at2": "mismatch_since",
        },
        """FROM position WHERE account_id = %(account)s
        AND (amount <> 0 OR opening <> 0 OR pair_id = %(pair)s OR mismatch_since IS NOT NULL)""",
    ),
    "unhedged": (
        {"at1": "UNHEDGED_SINCE"},
        "FROM ARBITRAGE_TRANS WHERE TRADE_ID = %(trade)s AND STATUS = 'PENDING' AND UNHEDGED_SINCE IS NOT NULL",
    ),
    "alert": (
        {"at1": "MIN(at)"},
        """FROM alert WHERE acked_at IS NULL AND cleared_at IS NULL AND escalates
        AND ((scope = 'account' AND scope_id = %(account_text)s)
        OR (scope = 'trade' AND scope_id = %(trade_text)s))""",
    ),
    "whole": ({"a": "id", "n1": "amount"}, "FROM order_intent WHERE id = %(whole)s"),
    "attempt": (  # of the intent itself, and of its parent's other parts
        {"a": "o.INTENT_ID", "other": "o.STATUS", "n1": "o.AMOUNT", "n2": "o.FILLED"},
        "FROM ORDERS o JOIN order_intent i ON i.id = o.INTENT_ID WHERE i.id = %(whole)s OR i.parent_id = %(whole)s",
    ),
    "part": (  # of a parent, nothing sent yet
        {"a": "id", "n1": "amount"},
        "FROM order_intent WHERE parent_id = %(whole)s AND state = '{new}'",
    ),
}
OF_A_WHOLE = frozenset({"whole", "attempt", "part"})  # asked only where there may be any
OF_A_CLAIM = frozenset({"lease"})  # asked only where an order is about to be sent
