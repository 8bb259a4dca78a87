"""The REST API: who may ask, how answers are cut into pages, what the OpenAPI document says."""

from datetime import timedelta
from typing import Any


def rest_framework(*, basic: bool) -> dict[str, Any]:
    """`basic` adds HTTP Basic; the first class words the challenge, so browsers are never asked for a password."""
    authentication = ["knox.auth.TokenAuthentication"]
    if basic:
        authentication.append("apps.users.rest.authentication.RememberedBasicAuthentication")
    return {
        "DEFAULT_AUTHENTICATION_CLASSES": [*authentication, "rest_framework.authentication.SessionAuthentication"],
        "DEFAULT_PERMISSION_CLASSES": ["apps.users.rest.permissions.HasRole"],
        "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
        "DEFAULT_PARSER_CLASSES": ["apps.users.rest.parsers.StrictJSONParser"],
        "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
        "DEFAULT_PAGINATION_CLASS": "apps.users.rest.pagination.Pages",
        "EXCEPTION_HANDLER": "apps.users.rest.exceptions.answer",
        "TEST_REQUEST_DEFAULT_FORMAT": "json",
    }


REST_KNOX = {
    "TOKEN_TTL": timedelta(days=90),
    "AUTO_REFRESH": False,
}

SPECTACULAR_SETTINGS = {
    "TITLE": "ct-system",
    "DESCRIPTION": "Live order books, what is watched, and its history.",
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_PERMISSIONS": ["apps.users.rest.permissions.HasRole"],
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "COMPONENT_SPLIT_REQUEST": True,
    "ENUM_NAME_OVERRIDES": {"MarketTypeEnum": "apps.feeds.models.MARKET_TYPES"},
}
