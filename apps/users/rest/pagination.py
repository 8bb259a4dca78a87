"""Lists in pages: `?limit=` and `?offset=`, both checked."""

from rest_framework.pagination import LimitOffsetPagination
from rest_framework.request import Request

from apps.users.rest.parameters import whole_number


class Pages(LimitOffsetPagination):
    default_limit = 100
    max_limit = 1000

    def get_limit(self, request: Request) -> int:
        return whole_number(request, "limit", default=self.default_limit, least=1, most=self.max_limit)

    def get_offset(self, request: Request) -> int:
        return whole_number(request, "offset", default=0, least=0, most=10**9)
