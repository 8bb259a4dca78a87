import base64
import time
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.test import Client
from django.utils.module_loading import import_string

from apps.users.models import Audit, User
from apps.users.tests.people import PASSWORD, person, with_password
from apps.users.views import MeView
from ctweb.conf.api import rest_framework
from ctweb.tests.clients import client_of, stores_away

pytestmark = pytest.mark.django_db
ME = "/api/v1/me"


@pytest.fixture(autouse=True)
def embedded(settings, monkeypatch):
    """As the embedded run answers, which is the one that takes HTTP Basic, whatever database the tests run on."""
    stores_away(settings)
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]  # the tests try many passwords
    classes = rest_framework(basic=True)["DEFAULT_AUTHENTICATION_CLASSES"]
    monkeypatch.setattr(MeView, "authentication_classes", [import_string(name) for name in classes])


def basic(name: str, password: str) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(f"{name}:{password}".encode()).decode()}


def sign_in(client: Client, password: str, **headers: str) -> int:
    return client.post("/login/", {"username": "ann", "password": password}, headers=headers).status_code


@pytest.fixture
def ann() -> User:
    return with_password(person("operator", "ann"))


def test_a_right_password_signs_in_and_goes_to_the_first_page(ann):
    client = Client()
    assert sign_in(client, PASSWORD) == 302
    assert client.get(ME).json() == {"name": "ann", "role": "operator", "second_factor": False}


def test_signing_out_ends_the_session(ann):
    client = Client()
    client.force_login(ann)
    client.post("/logout/")
    assert client.get(ME).status_code == 401


def test_the_session_changes_its_name_at_sign_in(ann):
    client = Client()
    client.get("/login/")
    client.cookies["sessionid"] = "chosen-by-somebody-else"
    sign_in(client, PASSWORD)
    assert client.cookies["sessionid"].value != "chosen-by-somebody-else"


def test_after_five_wrong_passwords_even_the_right_one_is_refused(ann):
    client = Client()
    assert [sign_in(client, "wrong") for _ in range(5)][-1] == 429
    assert sign_in(client, PASSWORD) == 429
    assert client.get(ME).status_code == 401


def test_a_forged_address_gives_no_further_tries(ann):
    client = Client()
    for number in range(5):
        sign_in(client, "wrong", **{"X-Forwarded-For": f"10.0.0.{number}"})
    assert sign_in(client, PASSWORD, **{"X-Forwarded-For": "10.9.9.9"}) == 429


def test_wrong_passwords_of_http_basic_count_too(ann):
    client = Client()
    for _ in range(5):
        assert client.get(ME, headers=basic("ann", "wrong")).status_code in (401, 403)
    assert client.get(ME, headers=basic("ann", PASSWORD)).status_code in (401, 403)


def test_http_basic_works_and_is_quick_the_second_time(ann, django_assert_max_num_queries):
    assert Client().get(ME, headers=basic("ann", PASSWORD)).status_code == 200
    with django_assert_max_num_queries(3):  # the user, the groups: no attempt is looked up, no password hashed
        assert Client().get(ME, headers=basic("ann", PASSWORD)).status_code == 200


def test_a_changed_password_is_not_remembered(ann):
    Client().get(ME, headers=basic("ann", PASSWORD))
    with_password(ann, "another one")
    assert Client().get(ME, headers=basic("ann", PASSWORD)).status_code == 401


def test_a_person_who_was_switched_off_is_out_at_once(ann):
    client = Client()
    client.force_login(ann)
    Client().get(ME, headers=basic("ann", PASSWORD))
    User.objects.update(is_active=False)
    assert client.get(ME).status_code == 401
    assert Client().get(ME, headers=basic("ann", PASSWORD)).status_code == 401


def test_the_cookie_has_no_end_of_its_own_for_only_requests_could_move_it(ann):
    client = Client()
    sign_in(client, PASSWORD)
    assert (client.cookies["sessionid"]["max-age"], client.cookies["sessionid"]["expires"]) == ("", "")


def test_a_session_ends_after_half_an_hour_without_a_request(ann):
    client = Client()
    with time_machine.travel(datetime.now(UTC), tick=False) as clock:
        client.force_login(ann)
        client.get(ME)
        clock.shift(timedelta(minutes=31))
        assert client.get(ME).status_code == 401


def test_a_session_in_use_lives_on_but_no_longer_than_half_a_day(ann):
    client = Client()
    alive = []
    with time_machine.travel(datetime.now(UTC), tick=False) as clock:
        client.force_login(ann)
        for _ in range(80):
            alive.append(client.get(ME).status_code == 200)
            clock.shift(timedelta(minutes=10))
    assert alive.index(False) == 12 * 6 + 1


def test_a_new_password_ends_the_other_sessions(ann):
    client = Client()
    client.force_login(ann)
    with_password(ann, "another one")
    assert client.get(ME).status_code == 401


def test_a_write_by_session_needs_the_csrf_token(ann):
    client = Client(enforce_csrf_checks=True)
    client.force_login(ann)
    assert client.post("/api/v1/tokens", {}, content_type="application/json").status_code == 403


@pytest.mark.parametrize("path", ["/login/", "/logout/", "/admin/monitoring/monitoring/", "/actions/refresh"])
def test_a_form_of_another_page_is_refused(ann, path):
    client = Client(enforce_csrf_checks=True)
    client.force_login(ann)
    assert client.post(path, {}).status_code == 403
    assert client.get(ME).json()["name"] == "ann"


def test_a_token_is_shown_once_and_works_until_it_is_revoked(ann):
    client = client_of("viewer")
    made = client.post("/api/v1/tokens", {"days": 7}, content_type="application/json").json()
    header = {"Authorization": f"Token {made['token']}"}
    assert Client().get(ME, headers=header).json()["name"] == "viewer"
    assert client.get("/api/v1/tokens").json()[0].keys() == {"id", "created", "expiry"}
    assert client.delete(f"/api/v1/tokens/{made['id']}").status_code == 204
    assert Client().get(ME, headers=header).status_code == 401
    assert list(Audit.objects.order_by("change_id").values_list("action", flat=True)) == [
        "token.create",
        "token.revoke",
    ]


def test_a_token_ends_by_itself(ann):
    made = client_of("viewer").post("/api/v1/tokens", {"days": 1}, content_type="application/json").json()
    with time_machine.travel(time.time() + 25 * 3600):
        assert Client().get(ME, headers={"Authorization": f"Token {made['token']}"}).status_code == 401


def test_tokens_of_others_can_be_neither_seen_nor_revoked(ann):
    made = client_of("viewer").post("/api/v1/tokens", {}, content_type="application/json").json()
    other = client_of("admin")
    assert other.get("/api/v1/tokens").json() == []
    assert other.delete(f"/api/v1/tokens/{made['id']}").status_code == 404


def test_a_person_has_twenty_tokens_at_most(ann):
    client = client_of("viewer")
    codes = [client.post("/api/v1/tokens", {}, content_type="application/json").status_code for _ in range(21)]
    assert codes == [201] * 20 + [409]
    assert User.objects.count() == 2


def test_the_trail_shows_everybody_his_own_and_admins_all(ann):
    client_of("viewer").post("/api/v1/tokens", {}, content_type="application/json")
    client_of("trader").post("/api/v1/tokens", {}, content_type="application/json")
    admin = client_of("admin")
    assert admin.get("/api/v1/audit").json()["count"] == 2
    trader = Client()
    trader.force_login(User.objects.get(username="trader"))
    assert [row["user"] for row in trader.get("/api/v1/audit").json()["results"]] == ["trader"]
    assert trader.get("/api/v1/audit?user=viewer").json()["count"] == 0
    assert admin.get("/api/v1/audit/verdict").json() == {"intact": True, "last_change_id": 2, "broken_at": None}
