"""Whether an order can be accepted: its numbers, its position. Every refusal is a `Refused` with its reason."""

from decimal import Decimal

from apps.feeds.simulator.listings import Listing
from apps.feeds.simulator.market import Market, Side
from apps.feeds.simulator.trading.accounts import Account, unit, worth
from apps.feeds.simulator.trading.rules import Rules
from apps.feeds.simulator.trading.tickets import Reason, Refused, Ticket


def side_taken(market: Market, ticket: Ticket) -> Side:
    """What an order of this direction would trade with."""
    return market.asks if ticket.side == "buy" else market.bids


def ticks(listing: Listing, price: Decimal | None) -> int:
    """A price as a number of ticks; 0 for none."""
    if price is None:
        return 0
    count, rest = divmod(price, listing.price.step)
    if rest or count <= 0:
        raise Refused(Reason.OFF_TICK)
    return int(count)


def lots(listing: Listing, ticket: Ticket, side: Side) -> int:
    """What is asked for as a number of lots; for an order by money those that the book sells or takes for it."""
    if ticket.size is None:
        count = affordable(listing, side, ticket.quote_size or Decimal(0))
        if not count:
            raise Refused(Reason.TOO_SMALL)
        return count
    whole, rest = divmod(ticket.size, listing.size.step)
    if whole <= 0:
        raise Refused(Reason.TOO_SMALL)
    if rest:
        raise Refused(Reason.OFF_LOT)
    return int(whole)


def affordable(listing: Listing, side: Side, money: Decimal) -> int:
    """Lots that so much quote money moves at the prices of the book."""
    count = 0
    for key in side.keys:
        part = min(side.sizes[key], int(money // worth(listing, side.sign * key, 1)))
        count += part
        money -= worth(listing, side.sign * key, part)
        if part < side.sizes[key]:
            break
    return count


def walked(listing: Listing, side: Side, size: int) -> Decimal:
    """Quote money for which the book trades so many lots."""
    money = Decimal(0)
    for key in side.keys:
        part = min(size, side.sizes[key])
        money += worth(listing, side.sign * key, part)
        size -= part
        if not size:
            break
    return money


def check_least(rules: Rules, listing: Listing, ticket: Ticket, price: int, size: int, side: Side) -> None:
    """Orders that only make a position smaller may be of any size."""
    least = rules.least(listing)
    value = worth(listing, price, size) if price else walked(listing, side, size)
    small = size * listing.size.step < least.size or value < least.value
    if small and not ticket.reduce_only:
        raise Refused(Reason.TOO_SMALL)


def closable(account: Account, listing: Listing, ticket: Ticket) -> int:
    """Lots of the position that the order would make smaller."""
    held = account.positions.get((listing.symbol, ticket.position_side))
    if held is None:
        return 0
    return max(0, -held.size if ticket.side == "buy" else held.size)


def closing(account: Account, listing: Listing, ticket: Ticket) -> int:
    """Lots of the account's open orders that may only make the same position smaller, as the order does."""
    return sum(
        order.left
        for order in account.open.values()
        if order.listing is listing
        and closes_only(order.ticket)
        and (order.side, order.ticket.position_side) == (ticket.side, ticket.position_side)
    )


def closes_only(ticket: Ticket) -> bool:
    """Whether the order may never open a position."""
    return ticket.reduce_only or (ticket.position_side, ticket.side) in (("long", "sell"), ("short", "buy"))


def position_lots(account: Account, listing: Listing, ticket: Ticket, size: int) -> int:
    """The size that an order on futures may have; spot orders keep theirs."""
    if listing.market_type == "spot":
        return size
    if account.hedge == (ticket.position_side == "net"):
        raise Refused(Reason.POSITION_SIDE)
    if not closes_only(ticket):
        return size
    most = closable(account, listing, ticket) - closing(account, listing, ticket)
    if most <= 0 or (size > most and account.rules.reduce_only == "refuse"):
        raise Refused(Reason.REDUCE_ONLY)
    return min(size, most)


def would_take(market: Market, ticket: Ticket, price: int) -> bool:
    side = side_taken(market, ticket)
    return bool(side.keys) and side.keys[0] <= side.sign * price


def fills_whole(market: Market, ticket: Ticket, price: int, size: int) -> bool:
    """Whether the book holds all that a fill-or-kill order wants."""
    side = side_taken(market, ticket)
    for key in side.keys:
        if size <= 0 or (price and key > side.sign * price):
            break
        size -= side.sizes[key]
    return size <= 0


def coins(listing: Listing, size: int) -> Decimal:
    return size * unit(listing)
