"""Reads of people and of their trail."""

from apps.users import audit
from apps.users.models import Audit, AuditHead


def was_done(*, action: str, reason: str = "") -> bool:
    """Whether the trail has an `action` for that reason."""
    return Audit.objects.filter(action=action, reason=reason).exists()


def verify_audit() -> audit.Verdict:
    """Walk the whole trail."""
    head = AuditHead.objects.filter(pk=1).first() or AuditHead()
    rows = Audit.objects.order_by("change_id").values().iterator(chunk_size=1000)
    return audit.verify(rows, last_change_id=head.last_change_id, last_hash=head.last_hash)
