"""What `make run` says once the page answers."""

import platform
from collections.abc import Mapping
from typing import Any

from django.conf import settings

from workers.supervisor.folder import Folder

EXCHANGES = {
    "simulator": "SIMULATED (SOURCE=live for the real ones)",
    "replay": "REPLAYED from recorded frames (SOURCE=live for the real ones)",
    "live": "REAL, public data only",
}


def banner(folder: Folder, *, embedded: set[str], status: Mapping[str, Any]) -> str:
    """`embedded` names the stores that this run started itself, `status` is the page's own /status."""
    name, _, password = folder.login.read_text().strip().partition(" ")
    database = settings.DATABASES["default"]["ENGINE"].rpartition(".")[2]
    stores = [f"{store} {'embedded' if store in embedded else 'yours'}" for store in ("redis", "history")]
    facts = [f"python {platform.python_version()}", f"database {database}", *stores]
    address = f"http://127.0.0.1:{settings.PORT}/"
    return "\n".join(
        (
            "",
            f"ct-system {settings.VERSION} ({status['version']})   everything listens on 127.0.0.1 only",
            f"  {' · '.join(facts)} · exchanges {EXCHANGES[settings.SOURCE]}",
            f"  web        {address}   login  {name} / {password}   (made for this folder, also in {folder.login})",
            f"  daemon {settings.CT_DAEMON_ID}  {settings.CT_ROLE}",
            f"  Ctrl-C stops in order: feeds, pages, jobs, history. Logs: {folder.log}/",
            "",
        )
    )
