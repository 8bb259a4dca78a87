from django.apps import AppConfig
from django.db.backends.signals import connection_created


class FeedsConfig(AppConfig):
    name = "apps.feeds"
    verbose_name = "exchanges"

    def ready(self) -> None:
        from apps.feeds.fields import add_collation

        connection_created.connect(add_collation, dispatch_uid="apps.feeds.fields.add_collation")
