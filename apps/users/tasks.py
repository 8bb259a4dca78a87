"""What is swept out once a day."""

from datetime import timedelta

from celery import shared_task
from django.contrib.sessions.models import Session
from django.utils import timezone
from knox.models import AuthToken

from apps.users.models import IdempotentAnswer

ANSWERS_KEPT = timedelta(days=2)


@shared_task
def sweep() -> None:
    """Ended sessions, expired tokens, answers that nobody asks for again."""
    now = timezone.now()
    Session.objects.filter(expire_date__lt=now).delete()
    AuthToken.objects.filter(expiry__lt=now).delete()
    IdempotentAnswer.objects.filter(created_at__lt=now - ANSWERS_KEPT).delete()
