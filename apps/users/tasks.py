"""Pages, and what is swept out once a day."""

from datetime import timedelta

from celery import shared_task
from django.conf import settings
from django.contrib.sessions.models import Session
from django.utils import timezone
from knox.models import AuthToken

from apps.users import pagers, paging
from apps.users.models import IdempotentAnswer

ANSWERS_KEPT = timedelta(days=2)


@shared_task
def page() -> None:
    """As trading daemons do by themselves: one that is gone is what somebody is paged for."""
    for line in pagers.lines(
        url=settings.CT_PAGER_URL,
        mail_to=settings.CT_PAGER_EMAIL_TO,
        mail_from=settings.CT_PAGER_EMAIL_FROM,
        smtp_url=settings.CT_SMTP_URL,
    ):
        paging.page_due(line.pager, line.channel)


@shared_task
def sweep() -> None:
    """Ended sessions, expired tokens, answers that nobody asks for again."""
    now = timezone.now()
    Session.objects.filter(expire_date__lt=now).delete()
    AuthToken.objects.filter(expiry__lt=now).delete()
    IdempotentAnswer.objects.filter(created_at__lt=now - ANSWERS_KEPT).delete()
