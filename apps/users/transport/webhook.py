"""A pager that is an address: each page is one POST of JSON, and any 2xx means that it has it."""

import json
from collections.abc import Mapping
from http import HTTPStatus
from http.client import HTTPException
from typing import Any
from urllib.error import HTTPError
from urllib.request import HTTPRedirectHandler, OpenerDirector, ProxyHandler, Request, build_opener

from apps.users.transport.away import PagerAway

TIMEOUT_S = 5.0  # of each step: to connect, to send, to hear


class Webhook:
    """One address, http or https. Redirects are not followed, and no proxy of the environment is used."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._opener: OpenerDirector = build_opener(ProxyHandler({}), _Straight())

    def send(self, page: Mapping[str, Any]) -> None:
        """Raise PagerAway. The same page may come twice: its `id` tells."""
        request = Request(  # noqa: S310 (the settings admit http and https alone)
            self._url,
            data=json.dumps(page).encode(),
            headers={"Content-Type": "application/json", "User-Agent": "ct-system", "Idempotency-Key": str(page["id"])},
            method="POST",
        )
        try:
            with self._opener.open(request, timeout=TIMEOUT_S) as answer:
                status = int(answer.status)
        except HTTPError as error:
            error.close()
            raise PagerAway(f"it answers {error.code}") from None
        except (OSError, HTTPException) as error:
            raise PagerAway(type(error).__name__) from None
        if not HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES:
            raise PagerAway(f"it answers {status}")


class _Straight(HTTPRedirectHandler):
    def redirect_request(self, *args: Any, **kwargs: Any) -> None:
        """What is elsewhere is not told of it: the answer stays what it was."""
