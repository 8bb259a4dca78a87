from django.apps import AppConfig


class TradingConfig(AppConfig):
    name = "apps.trading"
    verbose_name = "trading"

    def why_exchange_is_in_use(self, code: str) -> str:
        """Asked by `apps.feeds`, which does not know us, before it switches an exchange off."""
        from apps.trading import in_use

        return in_use.of_exchange(code)
