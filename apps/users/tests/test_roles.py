import pytest
from django.contrib.auth.models import AnonymousUser, Group

from apps.users.models import User
from apps.users.roles import ADMIN, OPERATOR, ROLES, TRADER, VIEWER, has_role, role_of
from apps.users.tests.people import person

pytestmark = pytest.mark.django_db


def test_the_four_roles_are_groups_from_the_start():
    assert set(Group.objects.values_list("name", flat=True)) == set(ROLES)


@pytest.mark.parametrize("role", ROLES)
def test_a_role_includes_those_below_it(role):
    user = person(role)
    assert [has_role(user, other) for other in ROLES] == [ROLES.index(other) <= ROLES.index(role) for other in ROLES]


def test_the_highest_of_several_roles_counts():
    user = person(VIEWER)
    user.groups.add(Group.objects.get(name=TRADER))
    assert role_of(user) == TRADER


def test_nobody_and_a_user_without_a_group_have_no_role():
    assert not has_role(AnonymousUser(), VIEWER)
    assert not has_role(person(None), VIEWER)


def test_a_person_who_left_has_no_role():
    user = person(ADMIN)
    user.is_active = False
    assert not has_role(user, VIEWER)


def test_a_superuser_is_an_admin():
    assert role_of(User(username="root", is_superuser=True)) == ADMIN


def test_operators_change_pairs_in_the_admin_and_viewers_look_at_them():
    assert person(OPERATOR).has_perm("monitoring.change_monitoring")
    viewer = person(VIEWER)
    assert viewer.has_perm("monitoring.view_monitoring")
    assert not viewer.has_perm("monitoring.change_monitoring")


def test_ledgers_and_the_trail_can_be_changed_by_no_role():
    admin = person(ADMIN)
    for model in ("users.{}_audit", "feeds.{}_lease", "monitoring.{}_chbatch", "monitoring.{}_feedgap"):
        assert admin.has_perm(model.format("view"))
        assert not any(admin.has_perm(model.format(action)) for action in ("add", "change", "delete"))
