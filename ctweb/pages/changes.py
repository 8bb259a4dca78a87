"""A row of the audit trail in the words of the Pairs page."""

from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.users.models import Audit

VERBS = {
    "pair.add": gettext_lazy("added"),
    "pair.enable": gettext_lazy("enabled"),
    "pair.disable": gettext_lazy("disabled"),
    "pair.edit": gettext_lazy("changed"),
    "pair.delete": gettext_lazy("deleted"),
    "pair.start_with": gettext_lazy("started with"),
    "exchange.enable": gettext_lazy("switched on"),
    "exchange.disable": gettext_lazy("switched off"),
    "catalogue.refresh": gettext_lazy("refreshed"),
}


def described(row: Audit) -> dict[str, Any]:
    """`what` is the object (its list of pairs cut off), `detail` what became different."""
    subject, _colon, names = row.object.partition(": ")
    return {
        "at": row.at,
        "user": row.user,
        "verb": VERBS.get(row.action, row.action),
        "what": subject.removeprefix("pair "),
        "detail": _depths(row) or names,
        "change_id": row.change_id,
    }


def _depths(row: Audit) -> str:
    """`depth 20 → 50` when that is what the change was."""
    if row.action != "pair.edit" or not row.before or not row.after:
        return ""
    before, after = row.before[0].get("depth"), row.after[0].get("depth")
    return (
        "" if before == after else _("depth %(before)s → %(after)s") % {"before": _name(before), "after": _name(after)}
    )


def _name(depth: int | None) -> str:
    return {0: _("full"), None: _("default")}.get(depth, str(depth))
