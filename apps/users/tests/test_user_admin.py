from typing import Any

import pytest
from django.contrib.auth.models import Group, Permission
from django.test import Client

from apps.users.models import Audit, User
from apps.users.tests.people import PASSWORD, person, superuser, with_password

pytestmark = pytest.mark.django_db
PEOPLE = "/admin/users/user/"


@pytest.fixture
def admin(settings) -> Client:
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    settings.MIDDLEWARE = [name for name in settings.MIDDLEWARE if "servestatic" not in name]
    user = person("admin")
    User.objects.filter(pk=user.pk).update(is_staff=True)
    client = Client()
    client.force_login(user)
    return client


def form(user: User, **changes: Any) -> dict[str, Any]:
    """The form of a person, as the browser posts it."""
    values = {"username": user.username, "is_active": "on", "date_joined_0": "2026-11-20", "date_joined_1": "10:00:00"}
    return {name: value for name, value in {**values, **changes}.items() if value is not None}


def trail() -> list[tuple[str, str]]:
    return [(row.action, row.object) for row in Audit.objects.order_by("change_id")]


def test_a_change_of_role_leaves_its_row_in_the_trail(admin):
    ann = person("viewer", "ann")
    admin.post(f"{PEOPLE}{ann.pk}/change/", form(ann, groups=[Group.objects.get(name="trader").pk]))
    row = Audit.objects.get()
    assert (row.user, row.action, row.object) == ("admin", "user.edit", "user ann")
    assert (row.before["groups"], row.after["groups"]) == (["viewer"], ["trader"])


def test_switching_a_person_off_leaves_its_row(admin):
    ann = person("viewer", "ann")
    admin.post(f"{PEOPLE}{ann.pk}/change/", form(ann, is_active=None))
    assert (Audit.objects.get().before["is_active"], Audit.objects.get().after["is_active"]) == (True, False)


def test_new_and_deleted_people_leave_their_rows(admin):
    password = {"password1": "correct horse battery", "password2": "correct horse battery", "usable_password": "true"}
    admin.post(f"{PEOPLE}add/", {"username": "bob", **password})
    bob, eve = User.objects.get(username="bob"), person("viewer", "eve")
    admin.post(f"{PEOPLE}{bob.pk}/delete/", {"post": "yes"})
    admin.post(PEOPLE, {"action": "delete_selected", "_selected_action": [eve.pk], "post": "yes"})
    assert trail() == [("user.create", "user bob"), ("user.delete", "user bob"), ("user.delete", "user eve")]
    assert not User.objects.filter(username__in=("bob", "eve")).exists()


def test_no_password_is_in_the_trail(admin):
    password = {"password1": "canary horse battery", "password2": "canary horse battery", "usable_password": "true"}
    admin.post(f"{PEOPLE}add/", {"username": "bob", **password})
    (row,) = Audit.objects.values()
    assert "canary" not in str(row)
    assert User.objects.get(username="bob").password not in str(row)


def test_nobody_is_renamed_so_nobody_becomes_a_second_person(admin):
    own = User.objects.get(username="admin")
    for user in (own, person("trader", "ann")):
        admin.post(f"{PEOPLE}{user.pk}/change/", form(user, username="somebody_else"))
    assert set(User.objects.values_list("username", flat=True)) == {"admin", "ann"}
    assert 'name="username"' not in admin.get(f"{PEOPLE}{own.pk}/change/").content.decode()


def test_who_edits_people_makes_no_superuser_and_gives_no_single_permissions(admin):
    own = User.objects.get(username="admin")
    rights = [Permission.objects.get(codename="delete_session").pk]
    admin.post(f"{PEOPLE}{own.pk}/change/", form(own, is_staff="on", is_superuser="on", user_permissions=rights))
    own.refresh_from_db()
    assert (own.is_staff, own.is_superuser, own.user_permissions.count()) == (True, False, 0)


def test_a_superuser_is_no_business_of_who_edits_people(admin):
    root = with_password(person(None, "root"))
    User.objects.filter(pk=root.pk).update(is_superuser=True)
    before = User.objects.values().get(pk=root.pk)
    for page, posted in (
        ("change/", form(root, is_active=None)),
        ("password/", NEW_TWICE),
        ("delete/", {"post": "yes"}),
    ):
        assert admin.post(f"{PEOPLE}{root.pk}/{page}", posted).status_code == 403
    admin.post(PEOPLE, {"action": "delete_selected", "_selected_action": [root.pk], "post": "yes"})
    assert User.objects.values().get(pk=root.pk) == before


def test_a_superuser_makes_another(admin):
    ann = person("viewer", "ann")
    assert superuser().post(f"{PEOPLE}{ann.pk}/change/", form(ann, is_superuser="on")).status_code == 302
    assert User.objects.get(pk=ann.pk).is_superuser


NEW = "canary horse battery"
NEW_TWICE = {"password1": NEW, "password2": NEW, "usable_password": "true"}
OWN = "/admin/password_change/"


def test_a_password_that_is_set_for_somebody_leaves_its_row(admin):
    ann = person("viewer", "ann")
    admin.post(f"{PEOPLE}{ann.pk}/password/", NEW_TWICE)
    admin.post(f"{PEOPLE}{ann.pk}/password/", {"usable_password": "false", "unset-password": "1"})
    assert [row.after for row in Audit.objects.order_by("change_id")] == [{"usable": True}, {"usable": False}]
    assert trail() == [("user.password", "user ann")] * 2
    assert {row.user for row in Audit.objects.all()} == {"admin"}


def test_a_password_that_is_refused_leaves_none(admin):
    ann = person("viewer", "ann")
    for wrong in ({**NEW_TWICE, "password2": "another"}, {"usable_password": "false"}):
        admin.post(f"{PEOPLE}{ann.pk}/password/", wrong)
    for nobody in ("99", "x", "9" * 30):
        assert admin.post(f"{PEOPLE}{nobody}/password/", NEW_TWICE).status_code in (302, 404)
    assert trail() == []


def test_ones_own_new_password_leaves_its_row_and_the_session_goes_on(admin):
    own = with_password(User.objects.get(username="admin"))
    admin.force_login(own, backend="django.contrib.auth.backends.ModelBackend")
    body = {"old_password": PASSWORD, "new_password1": NEW, "new_password2": NEW}
    assert admin.post(OWN, {**body, "old_password": "guess"}).status_code == 200
    assert trail() == []
    assert admin.post(OWN, body).headers["Location"] == f"{OWN}done/"
    assert (trail(), admin.get(PEOPLE).status_code) == ([("user.password", "user admin")], 200)
    own.refresh_from_db()
    assert own.check_password(NEW)
    assert "canary" not in str(Audit.objects.values())
    assert own.password not in str(Audit.objects.values())


def test_the_old_password_is_not_guessed_in_an_open_browser(admin):
    own = with_password(User.objects.get(username="admin"))
    admin.force_login(own, backend="django.contrib.auth.backends.ModelBackend")
    body = {"new_password1": NEW, "new_password2": NEW}
    assert [admin.post(OWN, {**body, "old_password": "guess"}).status_code for _ in range(5)][-1] == 429
    assert admin.post(OWN, {**body, "old_password": PASSWORD}).status_code == 429
    own.refresh_from_db()
    assert own.check_password(PASSWORD)


def test_the_page_of_ones_own_password_is_for_staff(admin):
    assert "old_password" in admin.get(OWN).content.decode()
    client = Client()
    client.force_login(person("trader", "ann"))
    assert client.get(OWN).status_code == 302
