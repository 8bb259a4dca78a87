"""A pager that is a mailbox: each page is one message, and the mail server's word means that it has it."""

import smtplib
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import unquote, urlsplit

from django.core.mail import EmailMessage
from django.core.mail.backends.smtp import EmailBackend

from apps.users.transport.away import PagerAway

TIMEOUT_S = 5.0  # of each step: to connect, to say who we are, to send, to hear
PORTS = {"smtp": 25, "smtp+tls": 587, "smtps": 465}  # plain, STARTTLS, TLS from the start
LONGEST_SUBJECT = 120


class Mailbox:
    """`url`: `smtps://user:password@host`; `sender` and `to` are addresses."""

    def __init__(self, *, url: str, sender: str, to: Sequence[str]) -> None:
        self._url = url
        self._sender = sender
        self._to = list(to)

    def send(self, page: Mapping[str, Any]) -> None:
        """Raise PagerAway. The same page may come twice: its `Message-ID` tells."""
        message = EmailMessage(
            subject=subject_of(page),
            body=text_of(page),
            from_email=self._sender,
            to=self._to,
            headers={"Message-ID": f"<alert-{page['id']}@ct-system>", "Auto-Submitted": "auto-generated"},
            connection=self._server(),
        )
        try:
            message.send()
        except smtplib.SMTPResponseException as error:
            raise PagerAway(f"the mail server answers {error.smtp_code}") from None
        except smtplib.SMTPRecipientsRefused:
            raise PagerAway("the mail server takes no message for these addresses") from None
        except OSError as error:  # all other errors of SMTP are of its kind
            raise PagerAway(type(error).__name__) from None

    def _server(self) -> EmailBackend:
        parts = urlsplit(self._url)
        return EmailBackend(
            host=parts.hostname,
            port=parts.port or PORTS[parts.scheme],
            username=unquote(parts.username or ""),
            password=unquote(parts.password or ""),
            use_tls=parts.scheme == "smtp+tls",
            use_ssl=parts.scheme == "smtps",
            timeout=TIMEOUT_S,
        )


def subject_of(page: Mapping[str, Any]) -> str:
    """One line, whatever stands in the page."""
    words = f"[ct-system] {page['kind']} {page['scope']} {page['scope_id']} {page['subject']}".split()
    return " ".join(words)[:LONGEST_SUBJECT]


def text_of(page: Mapping[str, Any]) -> str:
    lines = [page["text"], "", f"since {page['at']}, alert {page['id']}"]
    if page["halts_at"]:
        lines.append(f"Unless somebody acknowledges it, the account is halted at {page['halts_at']}.")
    lines.append(f"Acknowledge it on /trading/risk/, or by POST {page['ack']}.")
    return "\n".join(lines)
