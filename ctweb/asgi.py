"""The web process: HTTP by Django, browser sockets by channels, which checks their Origin and who they are."""

import os

from channels.auth import AuthMiddlewareStack
from channels.routing import ProtocolTypeRouter, URLRouter
from channels.security.websocket import AllowedHostsOriginValidator
from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "ctweb.settings")
http = get_asgi_application()  # first: it sets Django up, which the routes need

from django.conf import settings  # noqa: E402

from ctweb.env import ConfigurationError  # noqa: E402
from ctweb.live.routing import websocket_urlpatterns  # noqa: E402

if settings.CT_SEAL_PRIVATE_KEYS_FILE is not None:
    raise ConfigurationError("Bad settings: CT_SEAL_PRIVATE_KEYS_FILE: not for the web process, which opens no keys.")

application = ProtocolTypeRouter(
    {
        "http": http,
        "websocket": AllowedHostsOriginValidator(AuthMiddlewareStack(URLRouter(websocket_urlpatterns))),
    }
)
