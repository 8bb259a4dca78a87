"""The orders of a paper account: those on their way or open, and the last ones that are over, to be asked for."""

from collections import ChainMap, OrderedDict

from apps.feeds.errors import DuplicateOrder, UnknownOrder
from apps.feeds.orders import OrderRef
from apps.trading.paper.order import PaperOrder

KEPT = 1_000  # final orders that can still be asked for


class KeptOrders:
    def __init__(self) -> None:
        self.working: dict[str, PaperOrder] = {}  # by our id
        self._final: OrderedDict[str, PaperOrder] = OrderedDict()

    def check_new(self, client_order_id: str) -> None:
        """Raise DuplicateOrder for an id that works."""
        if client_order_id in self.working:
            raise DuplicateOrder(f"{client_order_id} is taken")

    def add(self, order: PaperOrder) -> None:
        self.working[order.new.client_order_id] = order

    def end(self, order: PaperOrder) -> None:
        """It is over; the oldest of those that are is forgotten."""
        client_order_id = order.new.client_order_id
        self.working.pop(client_order_id, None)
        self._final[client_order_id] = order
        while len(self._final) > KEPT:
            self._final.popitem(last=False)

    def find(self, ref: OrderRef) -> PaperOrder:
        """Raise UnknownOrder for one that never was, or was final long ago."""
        among = ChainMap(self.working, self._final)
        if ref.client_order_id is not None:
            found = among.get(ref.client_order_id)
        else:
            found = next((each for each in among.values() if each.exchange_order_id == ref.exchange_order_id), None)
        if found is None:
            raise UnknownOrder(f"no such order: {ref.client_order_id or ref.exchange_order_id}")
        return found
