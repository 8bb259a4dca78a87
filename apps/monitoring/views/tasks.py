"""The loaded monitoring tasks, as the seeds' daemon told them."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.feeds.market import MarketType
from apps.feeds.subscriptions import Task
from apps.monitoring import selectors
from apps.monitoring.serializers import TaskSerializer


class TasksView(APIView):
    """Every pair that an enabled row asks for. POST, as the seeds have it, though it changes nothing."""

    @extend_schema(request=None, responses=TaskSerializer(many=True))
    def post(self, request: Request) -> Response:
        asked = selectors.tasks()
        refused = selectors.against_catalogue(asked).refused
        reasons = {(one.row_id, one.exchange, one.pair): one.reason for one in refused}
        return Response([_loaded(task, reasons.get((task.row_id, task.exchange, task.pair))) for task in asked])


def _loaded(task: Task, reason: str | None) -> dict[str, Any]:
    return {
        "source": task.source,
        "row_id": task.row_id,
        "exchange": task.exchange,
        "market_type": task.market_type or MarketType.SPOT,
        "pair": task.pair,
        "depth": task.depth,
        "priority": task.priority,
        "refused": reason,
    }
