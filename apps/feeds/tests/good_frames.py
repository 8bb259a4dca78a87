"""Good frames and answers of each exchange, to be spoilt: hand-written ones, and some of each recording."""

import json
from pathlib import Path
from typing import Any

from apps.feeds.market import MarketType
from apps.feeds.replay import frames
from apps.feeds.tests.captures import RECORDINGS, lines
from apps.feeds.tests.proto_frames import encoded
from tests.fixtures.captures import find_captures

SPOT, FUTURES = MarketType.SPOT, MarketType.FUTURES
FRAMES_PER_RECORDING = 40

DEPTH = {
    "e": "depthUpdate",
    "E": 9,
    "s": "BTCUSDT",
    "U": 11,
    "u": 12,
    "pu": 10,
    "b": [["100.0", "1"]],
    "a": [["101", "2"]],
}
BYBIT_BOOK = {"s": "BTCUSDT", "b": [["100.0", "1"], ["99", "1"]], "a": [["101", "2"]], "u": 7, "seq": 900}
OKX_ROW = {"bids": [["100.0", "1", "0", "3"]], "asks": [["101", "1", "0", "1"]], "ts": "9", "checksum": 0, "seqId": 7}
TRADE = {"e": "trade", "s": "BTCUSDT", "t": 3, "p": "1", "q": "2", "T": 8, "m": True}
OKX_BOOKS = {"channel": "books", "instId": "BTC-USDT"}
HTX_BOOK = {"seqNum": 12, "prevSeqNum": 10, "bids": [[100.0, 1]], "asks": [[101, 2]]}
HTX_CONTRACT = {"event": "snapshot", "version": 5, "bids": [[100.0, 1]], "asks": [[101, 2]], "mrid": 7, "ts": 8}
HTX_TRADE = {"id": 5, "ts": 8, "tradeId": 7, "amount": 1, "price": 2, "direction": "buy"}
MEXC_ROW = [(1, "100.0"), (2, "1")]
MEXC_DEPTH, MEXC_WHOLE, MEXC_DEALS = (
    "spot@public.aggre.depth.v3.api.pb@100ms@BTCUSDT",
    "spot@public.limit.depth.v3.api.pb@BTCUSDT@20",
    "spot@public.aggre.deals.v3.api.pb@100ms@BTCUSDT",
)
KUCOIN_BOOK = {"a": [["101", "0"]], "b": [["100.0", "1"]], "C": 12, "s": "BTC-USDT", "M": 1790113097768000000, "O": 11}
KUCOIN_CHANGES = {
    "changes": {"asks": [["101", "1", "12"]], "bids": [["0", "0", "11"]]}, "sequenceStart": 11, "sequenceEnd": 12,
    "symbol": "BTC-USDT", "time": 1729816425625,
}  # fmt: skip
COINEX_BOOK = {
    "asks": [["101", "0.5"]], "bids": [["100.0", "1"]], "last": "100", "updated_at": 9, "checksum": 2796263166
}  # fmt: skip
DEX_BOOK = {
    "coin": "BTC", "time": 9,
    "levels": [[{"px": "100.0", "sz": "1", "n": 1}, {"px": "99", "sz": "1"}], [{"px": "101", "sz": "2", "n": 2}]],
}  # fmt: skip
DEX_STREAM = {"type": "l2Book", "coin": "BTC", "nSigFigs": None, "mantissa": None, "fast": False}
GOOD_FRAMES = {
    "binance": [
        {"stream": "btcusdt@depth@100ms", "data": DEPTH},
        {"stream": "btcusdt@depth20@100ms", "data": {"lastUpdateId": 10, "bids": [["9", "1"]], "asks": []}},
        {"stream": "btcusdt@trade", "data": TRADE},
        DEPTH,
        {"result": None, "id": 1},
        {"error": {"code": 4, "msg": "Too many subscriptions"}, "id": 19},
    ],
    "bybit": [
        {"topic": "orderbook.50.BTCUSDT", "type": "snapshot", "ts": 9, "data": BYBIT_BOOK, "cts": 8},
        {"topic": "orderbook.50.BTCUSDT", "type": "delta", "ts": 9, "data": BYBIT_BOOK | {"u": 8}, "cts": 8},
        {
            "topic": "publicTrade.BTCUSDT",
            "data": [{"i": "1", "T": 8, "s": "BTCUSDT", "S": "Buy", "v": "1", "p": "2"}],
        },
        {"success": False, "ret_msg": "error:handler not found,topic:x.y", "op": "subscribe", "req_id": "1"},
    ],
    "okx": [
        {"arg": OKX_BOOKS, "action": "snapshot", "data": [OKX_ROW | {"prevSeqId": -1}]},
        {"arg": OKX_BOOKS, "action": "update", "data": [OKX_ROW | {"prevSeqId": 7}]},
        {"arg": OKX_BOOKS, "action": "update", "data": [OKX_ROW | {"checksum": 5}]},
        {
            "arg": {"channel": "trades", "instId": "BTC-USDT"},
            "data": [{"instId": "BTC-USDT", "tradeId": "1", "px": "2", "sz": "3", "side": "buy", "ts": "4"}],
        },
        {"event": "error", "msg": "channel:books,instId:X doesn't exist", "code": "60018"},
    ],
    "kucoin": [
        {"T": "obu.SPOT", "dp": "increment@10ms", "t": "snapshot", "P": 9, "d": KUCOIN_BOOK | {"O": 12}},
        {"T": "obu.SPOT", "dp": "increment@10ms", "t": "delta", "P": 9, "d": KUCOIN_BOOK | {"O": 13, "C": 14}},
        {"T": "obu.FUTURES", "dp": "50", "t": "snapshot", "P": 9, "d": KUCOIN_BOOK},
        {"T": "trade.SPOT", "P": 9, "d": {"M": 9, "S": "sell", "p": "1", "q": "2", "s": "BTC-USDT", "ti": "3"}},
        {"id": "p18", "result": False, "message": "invalid request data"},
        {"type": "message", "topic": "/market/level2:BTC-USDT", "subject": "trade.l2update", "data": KUCOIN_CHANGES},
        {
            "type": "message",
            "topic": "/contractMarket/level2:XBTUSDTM",
            "data": {"sequence": 12, "change": "100.5,buy,3", "timestamp": 9},
        },
        {"type": "error", "id": "1", "code": 404, "data": "topic does not exist"},
    ],
    "coinex": [
        {"method": "depth.update", "data": {"market": "BTCUSDT", "is_full": True, "depth": COINEX_BOOK}, "id": None},
        {"method": "depth.update", "data": {"market": "BTCUSDT", "is_full": False, "depth": COINEX_BOOK}, "id": None},
        {
            "method": "deals.update",
            "data": {
                "market": "BTCUSDT",
                "deal_list": [{"deal_id": 3, "created_at": 8, "side": "buy", "price": "1", "amount": "2"}],
            },
        },
        {"id": 1, "code": 20001, "message": "invalid argument"},
        {"id": 0, "code": 0, "data": {"result": "pong"}, "message": "OK"},
    ],
    "htx": [
        {"ch": "market.btcusdt.mbp.150", "ts": 9, "tick": HTX_BOOK},
        {"id": "1", "rep": "market.btcusdt.mbp.150", "status": "ok", "ts": 9, "data": HTX_BOOK},
        {"ch": "market.btcusdt.mbp.refresh.20", "ts": 9, "tick": HTX_BOOK},
        {"ch": "market.BTC-USDT.depth.size_150.high_freq", "ts": 9, "tick": HTX_CONTRACT},
        {"ch": "market.BTC-USDT.depth.size_150.high_freq", "ts": 9, "tick": HTX_CONTRACT | {"event": "update"}},
        {"ch": "market.btcusdt.trade.detail", "ts": 9, "tick": {"id": 1, "ts": 8, "data": [HTX_TRADE]}},
        {"id": "2", "status": "error", "err-code": "bad-request", "err-msg": "invalid topic", "ts": 9},
        {"ping": 1786563068868},
    ],
    "mexc": [
        encoded([(1, MEXC_DEPTH), (3, "BTCUSDT"), (6, 9), (313, [(1, MEXC_ROW), (2, MEXC_ROW), (4, "11"), (5, "12")])]),
        encoded([(1, MEXC_WHOLE), (3, "BTCUSDT"), (6, 9), (303, [(2, MEXC_ROW), (4, "31")])]),
        encoded([(1, MEXC_DEALS), (3, "BTCUSDT"), (314, [(1, [*MEXC_ROW, (3, 1), (4, 8), (5, "7X0")])])]),
        {"id": 0, "code": 0, "msg": f"Not Subscribed successfully! [{MEXC_DEPTH}].  Reason： Blocked! "},
        {"id": 0, "code": 0, "msg": f"{MEXC_DEPTH},{MEXC_DEALS}"},
        {"symbol": "BTC_USDT", "data": {"asks": [[101, 2, 1]], "bids": [[100, 1, 1]], "begin": 11, "end": 12,
                                        "version": 12}, "channel": "push.depth", "ts": 9},
        {"symbol": "BTC_USDT", "data": {"asks": [], "bids": [[1, 1, 1]], "version": 12}, "channel": "push.depth.full"},
        {"symbol": "BTC_USDT", "data": [{"p": 1, "v": 2, "T": 1, "t": 8, "i": "7"}], "channel": "push.deal", "ts": 9},
        {"channel": "rs.error", "data": "Contract [NOPE_USDT] not exists", "ts": 9},
    ],
    "hyperliquid": [
        {"channel": "l2Book", "data": DEX_BOOK},
        {"channel": "l2Book", "data": DEX_BOOK | {"fast": True, "time": 8}},
        {"channel": "trades", "data": [{"coin": "BTC", "side": "A", "px": "1", "sz": "2", "time": 8, "tid": 1}]},
        {"channel": "subscriptionResponse", "data": {"method": "subscribe", "subscription": DEX_STREAM}},
        {"channel": "error", "data": "Already subscribed: " + json.dumps(DEX_STREAM)},
        {"channel": "pong"},
    ],
}  # fmt: skip
GOOD_ANSWERS = {
    "binance": [
        {"lastUpdateId": 4, "bids": [["1", "2"]], "asks": [["2", "3"]]},
        {
            "symbols": [
                {
                    "symbol": "BTCUSDT", "baseAsset": "BTC", "quoteAsset": "USDT", "status": "TRADING",
                    "contractType": "PERPETUAL", "underlyingType": "COIN",
                    "filters": [
                        {"filterType": "PRICE_FILTER", "tickSize": "0.1"},
                        {"filterType": "LOT_SIZE", "stepSize": "1"},
                    ],
                }
            ]
        },
        [{"symbol": "BTCUSDT", "quoteVolume": "12.5"}],
    ],
    "bybit": [
        {"retCode": 0, "result": {"s": "BTCUSDT", "b": [["1", "2"]], "a": [], "ts": 5, "u": 6}},
        {
            "retCode": 0,
            "result": {
                "list": [
                    {
                        "symbol": "BTCUSDT", "contractType": "LinearPerpetual", "status": "Trading", "baseCoin": "BTC",
                        "quoteCoin": "USDT", "priceFilter": {"tickSize": "0.1"},
                        "lotSizeFilter": {"qtyStep": "1", "basePrecision": "1"},
                    }
                ]
            },
        },
        {"retCode": 0, "result": {"list": [{"symbol": "BTCUSDT", "turnover24h": "12.5"}]}},
    ],
    "okx": [
        {"code": "0", "data": [{"bids": [["1", "2", "0", "1"]], "asks": [], "ts": "5", "seqId": 6}]},
        {
            "code": "0",
            "data": [
                {
                    "instId": "A-USDT-SWAP", "instType": "SWAP", "state": "live", "settleCcy": "USDT", "uly": "A-USDT",
                    "tickSz": "1", "lotSz": "1", "ctType": "linear", "ctVal": "1", "ctMult": "1", "ctValCcy": "A",
                }
            ],
        },
        {"code": "0", "data": [{"instId": "A-USDT", "last": "1", "volCcy24h": "2"}]},
    ],
    "kucoin": [
        {"code": "200000", "data": {"sequence": "4", "bids": [["1", "2"]], "asks": [["2", "3"]], "time": 5}},
        {
            "code": "200000",
            "data": [
                {
                    "symbol": "XBTUSDTM", "type": "FFWCSX", "baseCurrency": "XBT", "quoteCurrency": "USDT",
                    "settleCurrency": "USDT", "multiplier": 0.001, "lotSize": 1, "tickSize": 0.1, "isInverse": False,
                    "status": "Open", "priceIncrement": "0.1", "baseIncrement": "1", "enableTrading": True,
                    "turnoverOf24h": 12.5,
                }
            ],
        },
        {"code": "200000", "data": {"time": 1, "ticker": [{"symbol": "BTC-USDT", "volValue": "12.5"}]}},
    ],
    "coinex": [
        {"code": 0, "data": {"market": "BTCUSDT", "is_full": True, "depth": COINEX_BOOK}, "message": "OK"},
        {
            "code": 0,
            "message": "OK",
            "data": [
                {
                    "market": "BTCUSDT", "base_ccy": "BTC", "quote_ccy": "USDT", "base_ccy_precision": 8,
                    "quote_ccy_precision": 2, "min_amount": "0.1", "status": "online", "contract_type": "linear",
                }
            ],
        },
        {"code": 0, "data": [{"market": "BTCUSDT", "value": "12.5"}], "message": "OK"},
    ],
    "htx": [
        {"status": "ok", "ts": 5, "tick": {"bids": [[1, 2]], "asks": [[2, 3]], "version": 6, "mrid": 7}},
        {
            "status": "ok",
            "data": [
                {
                    "base-currency": "btc", "quote-currency": "usdt", "symbol": "BTC", "state": "online",
                    "api-trading": "enabled", "price-precision": 2, "amount-precision": 6, "min-order-value": 10,
                    "contract_code": "BTC-USDT", "contract_size": 0.001, "price_tick": 0.1, "contract_status": 1,
                    "business_type": "swap", "vol": 5,
                }
            ],
        },
        {"status": "ok", "ticks": [{"contract_code": "BTC-USDT", "trade_turnover": "12.5"}]},
    ],
    "mexc": [
        {"lastUpdateId": 4, "bids": [["1", "2"]], "asks": [["2", "3"]]},
        {"success": True, "code": 0, "data": {"version": 4, "bids": [[1, 2, 1]], "asks": [], "timestamp": 5}},
        {
            "symbols": [
                {
                    "symbol": "BTCUSDT", "status": "1", "baseAsset": "BTC", "quoteAsset": "USDT",
                    "baseAssetPrecision": 8, "quoteAssetPrecision": 2, "baseSizePrecision": "0.1",
                    "isSpotTradingAllowed": True, "tradeSideType": 1,
                }
            ]
        },
        {
            "success": True, "code": 0,
            "data": [
                {
                    "symbol": "BTC_USDT", "baseCoin": "BTC", "quoteCoin": "USDT", "settleCoin": "USDT",
                    "contractSize": 0.1, "priceUnit": 0.1, "volUnit": 1, "state": 0, "futureType": 1, "amount24": 5,
                }
            ],
        },
        [{"symbol": "BTCUSDT", "quoteVolume": "12.5"}],
    ],
    "hyperliquid": [
        DEX_BOOK,
        {"universe": [{"szDecimals": 5, "name": "BTC", "maxLeverage": 40}, {"szDecimals": 1, "name": "MATIC"}]},
        {
            "tokens": [{"name": "USDC", "szDecimals": 8, "index": 0}, {"name": "PURR", "szDecimals": 0, "index": 1}],
            "universe": [{"name": "PURR/USDC", "tokens": [1, 0], "index": 0, "isCanonical": True}],
        },
        [{"universe": [{"szDecimals": 5, "name": "BTC"}]}, [{"coin": "BTC", "dayNtlVlm": "12.5"}]],
    ],
}  # fmt: skip


# Recordings that no test compares by the list of captures.py, and how frames are dressed after they were spoilt.
MORE_RECORDINGS = {
    ("htx", SPOT): ["derived_spot_mbp150_dogeeth.jsonl", "spot_depth_step0_2021-04.jsonl"],
    ("htx", FUTURES): ["derived_linear_size150_incremental_SNX-USDT.jsonl", "linear_misc_tardis_2020-2022.jsonl"],
    ("mexc", SPOT): ["spot_book_synthetic.b64.jsonl", "spot_ws_captured.b64.jsonl"],
    ("mexc", FUTURES): ["futures_book_synthetic.jsonl", "futures_ws_captured.jsonl"],
    ("kucoin", SPOT): [
        "derived_obu_10ms_BCHSV-USDT.jsonl", "spot_level2_2021_EQZ-BTC.jsonl", "spot_public_frames.jsonl",
    ],
    ("kucoin", FUTURES): [
        "derived_futures_level2_BSVUSDTM.jsonl", "futures_public_frames.jsonl", "uta_public_frames.jsonl",
    ],
    ("coinex", SPOT): ["synthetic_spot_depth20_incremental.jsonl", "ws_public.jsonl"],
    ("coinex", FUTURES): ["synthetic_futures_depth50_incremental.jsonl", "acks_errors_pings.jsonl"],
}  # fmt: skip
PACKED = {"htx", "coinex"}


def corpus(exchange: str, market: MarketType) -> list[str | bytes]:
    """Good frames, text or binary: ours, and some of each recording."""
    good = [frame if isinstance(frame, bytes) else _text(frame) for frame in GOOD_FRAMES[exchange]]
    captures: Path | None = find_captures()
    if captures is None:
        return good
    files = [one.file for one in RECORDINGS if (one.exchange, one.market_type) == (exchange, market)]
    for file in files + MORE_RECORDINGS.get((exchange, market), []):
        binary = file.endswith(".b64.jsonl")
        recorded = frames(lines(captures, exchange, file)[:FRAMES_PER_RECORDING], base64=binary)
        good += [frame if binary else frame.decode() for frame in recorded if isinstance(frame, bytes)]
    return good


def _text(frame: Any) -> str:
    return json.dumps(frame, separators=(",", ":"))
