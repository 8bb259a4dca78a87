"""Who this process is, and that nobody else is it."""

import os
import socket
import uuid
from datetime import UTC, datetime, timedelta
from typing import Self

from django.db.models.functions import Now
from msgspec import Struct, field

from apps.feeds import leases, services
from apps.feeds.models import Daemon
from workers.options import Options


class Identity(Struct, frozen=True, kw_only=True):
    daemon: str
    role: str
    capacity: int
    sockets: int
    build: str
    host: str = field(default_factory=socket.gethostname)
    pid: int = field(default_factory=os.getpid)
    boot: uuid.UUID = field(default_factory=uuid.uuid4)
    started_at: datetime = field(default_factory=lambda: datetime.now(UTC))

    @classmethod
    def of(cls, options: Options) -> Self:
        return cls(
            daemon=options.daemon,
            role=options.role,
            capacity=options.pairs_per_connection * options.max_connections,
            sockets=options.max_connections,
            build=options.build,
        )

    def heartbeat(self, *, draining: bool = False) -> None:
        """Note in the database that we live."""
        services.heartbeat(
            daemon=self.daemon,
            boot_uuid=self.boot,
            role=self.role,
            host=self.host,
            pid=self.pid,
            started_at=self.started_at,
            capacity=self.capacity,
            sockets=self.sockets,
            build_id=self.build,
            draining=draining,
        )

    def leave(self) -> None:
        """Stopped in order: nobody needs to wait for our heartbeat to grow old."""
        services.forget_daemon(daemon=self.daemon, boot_uuid=self.boot)

    def rival(self) -> str | None:
        """Another living process of our name, in words; a dead one of this host is no rival."""
        young = Now() - timedelta(seconds=leases.DEAD_S)
        other = Daemon.objects.filter(id=self.daemon, heartbeat_at__gt=young).exclude(boot_uuid=self.boot).first()
        if other is None or (other.host == self.host and not _runs(other.pid)):
            return None
        return f"daemon {self.daemon} runs already on {other.host} as process {other.pid}"


def _runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
