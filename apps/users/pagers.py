"""Which pagers a deployment has, as its settings name them."""

from collections.abc import Sequence

from msgspec import Struct

from apps.users.paging import MAILS, PAGES, Channel, Pager
from apps.users.transport.mail import Mailbox
from apps.users.transport.webhook import Webhook


class Line(Struct, frozen=True):
    """One pager, and the columns of `alert` that tell how it stands with it."""

    name: str
    channel: Channel
    pager: Pager


def lines(*, url: str | None, mail_to: Sequence[str], mail_from: str, smtp_url: str | None) -> list[Line]:
    """None, one or both of them."""
    found: list[Line] = []
    if url is not None:
        found.append(Line("pager", PAGES, Webhook(url)))
    if mail_to and smtp_url is not None:
        found.append(Line("mail", MAILS, Mailbox(url=smtp_url, sender=mail_from, to=mail_to)))
    return found
