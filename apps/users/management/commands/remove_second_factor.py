"""`manage.py remove_second_factor`: for who has lost the telephone, where no administrator can sign in any more."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from apps.users import second_factor
from apps.users.models import User
from apps.users.services import Actor


class Command(BaseCommand):
    help = "Take a person's second factor away; whoever may log in at this host may do it, and the trail tells."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--user", required=True)
        parser.add_argument("--reason", required=True)

    def handle(self, *args: Any, **options: Any) -> None:
        user = User.objects.filter(username=options["user"]).first()
        actor = Actor(user="manage.py remove_second_factor", session="terminal")
        if user is None or not second_factor.remove(user=user, actor=actor, reason=options["reason"]):
            raise CommandError(f"{options['user']} has no second factor")
        self.stdout.write(f"{options['user']} has no second factor any more")
