"""`manage.py rotate_keys`: a new sealing key for the keys of all accounts; run it again after any interruption."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from apps.trading.credentials import keyring, rotation
from apps.users.services import Actor

ACTOR = Actor(user="manage.py rotate_keys")


class Command(BaseCommand):
    help = "Make a new sealing key and seal the keys of all accounts to it; on an executor's host, as its user."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--private-keys", type=Path, metavar="FILE", help="unless CT_SEAL_PRIVATE_KEYS_FILE")
        parser.add_argument("--no-new-key", action="store_true", help="only seal to the current key what is not")
        parser.add_argument(
            "--forget-old",
            action="store_true",
            help="instead: take the old private keys off the ring, once every web process has the new public key",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        own = keyring.embedded(settings.CT_DATA_DIR)
        private = options["private_keys"] or settings.CT_SEAL_PRIVATE_KEYS_FILE
        if private is None and not settings.CT_EMBEDDED:
            raise CommandError("where are the private keys? CT_SEAL_PRIVATE_KEYS_FILE or --private-keys")
        try:
            if options["forget_old"]:
                gone = rotation.forget_old(private=private or own.private, actor=ACTOR)
                self.stdout.write(f"forgotten: {', '.join(gone) or 'none'}")
            else:
                self._rotate(private or own.private, own.public if settings.CT_EMBEDDED else None, options)
        except (keyring.KeyFileRefused, keyring.RingBusy) as error:
            raise CommandError(str(error)) from None
        except OSError as error:
            raise CommandError(f"{error.filename}: {error.strerror}") from None

    def _rotate(self, private: Path, public: Path | None, options: dict[str, Any]) -> None:
        def told(count: int) -> None:
            if options["verbosity"] > 1:
                self.stdout.write(f"{count} rows")
                self.stdout.flush()

        new_key = not options["no_new_key"]
        done = rotation.rotate(private=private, public=public, actor=ACTOR, new_key=new_key, told=told)
        self.stdout.write(f"{done.resealed} sealed to {'a new key' if done.made_key else 'the current key'}")
        self.stdout.write(f"still on the ring: {', '.join(done.old_keys) or 'no old key'}")
        if public is None:
            self.stdout.write(f"CT_SEAL_PUBLIC_KEY={done.public_key}")
        if done.unreadable:
            shown = ", ".join(str(pk) for pk in done.unreadable[:20])
            raise CommandError(f"{len(done.unreadable)} accounts whose key opens no more, to be set anew: {shown}")
