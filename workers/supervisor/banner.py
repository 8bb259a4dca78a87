"""What `make run` says once the page answers."""

import platform
import subprocess
from pathlib import Path

from ctweb.env import Environment
from workers.supervisor.folder import Folder

EXCHANGES = {
    "simulator": "SIMULATED (SOURCE=live for the real ones)",
    "replay": "REPLAYED from recorded frames (SOURCE=live for the real ones)",
    "live": "REAL, public data only",
}


def banner(environment: Environment, folder: Folder, root: Path, *, embedded: set[str], pairs: int) -> str:
    """`embedded` names the stores that this run started itself."""
    name, _, password = folder.login.read_text().strip().partition(" ")
    database = environment.database_url.partition(":")[0]
    stores = [f"{store} {'embedded' if store in embedded else 'yours'}" for store in ("redis", "history")]
    facts = [f"python {platform.python_version()}", f"database {database}", *stores]
    address = f"http://127.0.0.1:{environment.port}/"
    return "\n".join(
        (
            "",
            f"ct-system 0.1 ({_revision(root)})   everything listens on 127.0.0.1 only",
            f"  {' · '.join(facts)} · exchanges {EXCHANGES[environment.source]}",
            f"  web        {address}   login  {name} / {password}   (made for this folder, also in {folder.login})",
            f"  daemon {environment.daemon_id}  {environment.role}  {pairs} pairs enabled",
            f"  Ctrl-C stops in order: feeds, pages, jobs, history. Logs: {folder.log}/",
            "",
        )
    )


def _revision(root: Path) -> str:
    command = ["git", "-C", str(root), "rev-parse", "--short", "HEAD"]
    try:
        answer = subprocess.run(command, capture_output=True, text=True, check=True, timeout=5)
    except (OSError, subprocess.SubprocessError):
        return "no git"
    return answer.stdout.strip()
