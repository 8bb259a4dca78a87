"""A desk for tests of trading in the web process: people with their clients, and an account of each."""

from dataclasses import dataclass
from typing import Any

from django.test import Client
from django.utils import timezone
from django_otp.plugins.otp_totp.models import TOTPDevice

from apps.trading.models import Account, Order
from apps.trading.tests import rows
from apps.users.models import User
from apps.users.tests.codes import code_of, device_of
from apps.users.tests.people import PASSWORD, person, with_password
from ctweb.tests.clients import stores_away

BACKEND = "django.contrib.auth.backends.ModelBackend"
STAFF = {"anna": "trader", "boris": "trader", "olga": "admin", "oleg": "operator", "vera": "viewer"}
REASON = "tried it for a month"
GUARD = {"reason": REASON, "password": PASSWORD}


@dataclass
class Person:
    user: User
    client: Client

    def coded(self, body: dict[str, Any] | None = None) -> dict[str, Any]:
        """`body` with the next code of the person's device, which is enrolled here the first time."""
        if not TOTPDevice.objects.filter(user=self.user).exists():
            device_of(self.user)
        return {**(body or {}), "code": code_of(self.user)}

    def get(self, path: str, **parameters: Any) -> Any:
        return self.client.get(f"/api/v1/{path}", parameters)

    def post(self, path: str, body: Any = None, key: str | None = None) -> Any:
        headers = {} if key is None else {"Idempotency-Key": key}
        return self.client.post(f"/api/v1/{path}", body or {}, content_type="application/json", headers=headers)

    def patch(self, path: str, body: Any) -> Any:
        return self.client.patch(f"/api/v1/{path}", body, content_type="application/json")

    def delete(self, path: str, body: Any = None) -> Any:
        return self.client.delete(f"/api/v1/{path}", body or {}, content_type="application/json")


class Desk:
    """Anna and Boris trade, each on an account of their own; Olga administrates, Oleg operates, Vera looks."""

    def __init__(self) -> None:
        self.people = {name: _person(name, role) for name, role in STAFF.items()}
        self.accounts: dict[str, Account] = {
            name: rows.account(owner=self.people[name].user, name=f"{name}'s") for name in ("anna", "boris")
        }
        self.accounts["desk"] = rows.account(name="everybody's")

    def __getattr__(self, name: str) -> Person:
        try:
            return self.__dict__["people"][name]
        except KeyError:
            raise AttributeError(name) from None


def open_desk(settings: Any) -> Desk:
    """With passwords that are quickly hashed, stores that are away, and a second person to ask for."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    settings.CT_SECOND_PERSON = True
    stores_away(settings)
    return Desk()


def working(desk: Desk, who: str = "anna", **values: Any) -> Order:
    """An order of that person's account that rests."""
    intent = rows.intent(rows.trade(desk.accounts[who]), state="WORKING")
    return rows.order(intent, **{"status": "OPEN", "request_expires_at": timezone.now(), **values})


def text_of(person: Person, path: str) -> str:
    """A page as the server renders it."""
    answer = person.client.get(path)
    assert answer.status_code == 200, path
    return str(answer.content.decode())


def _person(name: str, role: str) -> Person:
    user = with_password(person(role, name))
    client = Client()
    client.force_login(user, backend=BACKEND)
    return Person(user, client)
