"""How refusals are worded: field names with their reasons, or `detail`."""

from typing import Any

import structlog
from django.core.exceptions import ValidationError as FormError
from django.db import OperationalError
from rest_framework.exceptions import APIException, ValidationError
from rest_framework.response import Response
from rest_framework.views import exception_handler

logger = structlog.get_logger(__name__)


class Conflict(APIException):
    status_code = 409
    default_detail = "This contradicts what is there."
    default_code = "conflict"


class Unavailable(APIException):
    status_code = 503
    default_detail = "A store does not answer."
    default_code = "unavailable"


def answer(error: Exception, context: dict[str, Any]) -> Response | None:
    """DRF's EXCEPTION_HANDLER; what services refuse by Django's ValidationError becomes 400 with the same fields."""
    if isinstance(error, FormError):
        fields = error.message_dict if hasattr(error, "error_dict") else {"detail": error.messages}
        error = ValidationError({("detail" if name == "__all__" else name): texts for name, texts in fields.items()})
    if isinstance(error, OperationalError):
        logger.error("the database does not answer", exc_info=error)
        error = Unavailable("The database does not answer.")
    return exception_handler(error, context)
