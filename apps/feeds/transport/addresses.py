"""Where the exchanges are: drivers name their real URLs, a run on the simulator sends them all to loopback."""

from urllib.parse import urlsplit


class Addresses:
    """Rewrites an exchange's URL to the simulator, which serves every real host under `/HOST/...`.

    Without a simulator (live run) URLs stay as they are.
    """

    def __init__(self, simulator_url: str | None) -> None:
        self._authority = urlsplit(simulator_url).netloc if simulator_url is not None else None
        if self._authority == "":
            raise ValueError(f"not an http URL: {simulator_url!r}")

    def ws(self, url: str) -> str:
        return self._rewrite("ws", url)

    def http(self, url: str) -> str:
        return self._rewrite("http", url)

    def _rewrite(self, scheme: str, url: str) -> str:
        if self._authority is None:
            return url
        parts = urlsplit(url)
        query = f"?{parts.query}" if parts.query else ""
        return f"{scheme}://{self._authority}/{parts.hostname}{parts.path}{query}"
