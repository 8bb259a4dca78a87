"""People, what they did, and which of their requests were already answered."""

from typing import Any, NoReturn

from django.contrib.auth.models import AbstractUser
from django.db import models
from django.db.models.functions import Now

from apps.users.fields import ExactTextField


class User(AbstractUser):
    """Whoever signs in; roles are groups, see `apps.users.roles`."""

    id = models.AutoField(primary_key=True, db_column="ID")

    class Meta:
        db_table = "USER"


class AuditQuerySet(models.QuerySet["Audit"]):
    """A trail that is only added to."""

    def update(self, **kwargs: Any) -> NoReturn:
        raise TypeError("the audit trail is append-only")

    def delete(self) -> NoReturn:
        raise TypeError("the audit trail is append-only")


class Audit(models.Model):
    """One change by a person or a program. `hash` covers the row and the hash before it, see `apps.users.audit`."""

    change_id = models.BigAutoField(primary_key=True)
    at = models.DateTimeField()
    user = models.CharField(max_length=150, blank=True)  # the name, which outlives the user
    role = models.CharField(max_length=20, blank=True)
    session = models.CharField(max_length=64, blank=True)  # a digest: the session itself stays secret
    ip = models.CharField(max_length=45, blank=True)
    action = models.CharField(max_length=64)
    object = models.CharField(max_length=200)
    before = models.JSONField(null=True)
    after = models.JSONField(null=True)
    reason = models.CharField(max_length=500, blank=True)
    idempotency_key = models.CharField(max_length=100, blank=True)
    approved_by = models.CharField(max_length=150, blank=True)
    result = models.CharField(max_length=20)
    second_factor = models.BooleanField(db_default=False)  # the person gave a code
    prev_hash = models.CharField(max_length=64)
    hash = models.CharField(max_length=64)

    objects = AuditQuerySet.as_manager()

    class Meta:
        db_table = "audit"
        ordering = ["-change_id"]
        verbose_name_plural = "audit"
        indexes = [models.Index(fields=["object", "change_id"], name="audit_object")]
        default_permissions = ("view",)

    def __str__(self) -> str:
        return f"{self.change_id} {self.action} {self.object}"


class AuditHead(models.Model):
    """The end of the chain, one row: locked by whoever adds to it, and proof that no tail was cut off."""

    id = models.SmallAutoField(primary_key=True)
    last_change_id = models.BigIntegerField(default=0)
    last_hash = models.CharField(max_length=64, default="", blank=True)

    class Meta:
        db_table = "audit_head"
        default_permissions = ()

    def __str__(self) -> str:
        return f"change {self.last_change_id}"


class IdempotentAnswer(models.Model):
    """The answer to a request that carried an idempotency key: the same request again gets it again."""

    id = models.BigAutoField(primary_key=True)
    user = models.ForeignKey(User, on_delete=models.CASCADE)
    key = ExactTextField(max_length=100)
    fingerprint = models.CharField(max_length=64)  # of method, path and body
    status = models.PositiveSmallIntegerField(null=True)
    body = models.JSONField(null=True)
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        db_table = "idempotent_answer"
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["user", "key"], name="idempotent_answer_once")]
        indexes = [models.Index(fields=["created_at"], name="idempotent_answer_age")]

    def __str__(self) -> str:
        return self.key


class Alert(models.Model):
    """Something that a person must look at, until one has said so; each trouble of a scope stands here once at a time.

    `scope` and `scope_id` are whose trouble it is, in the words of who raised it: of an account, say.
    """

    id = models.BigAutoField(primary_key=True)
    kind = models.CharField(max_length=30)
    scope = models.CharField(max_length=10, db_default="", blank=True)
    scope_id = models.CharField(max_length=50, db_default="", blank=True)
    subject = models.CharField(max_length=100, db_default="", blank=True)  # the one order of many, for instance
    text = models.CharField(max_length=500)
    at = models.DateTimeField(db_default=Now())
    acked_by = models.CharField(max_length=150, db_default="", blank=True)
    acked_at = models.DateTimeField(null=True)
    escalates = models.BooleanField(db_default=True)  # more is stopped when nobody comes
    escalated_at = models.DateTimeField(null=True)  # nobody came: more was stopped
    cleared_at = models.DateTimeField(null=True)  # the trouble is over by itself: nobody needs to come
    page_at = models.DateTimeField(db_default=Now())  # the next try to tell the pager
    page_tries = models.PositiveIntegerField(db_default=0)
    page_error = models.CharField(max_length=200, db_default="", blank=True)
    paged_at = models.DateTimeField(null=True)  # the pager has it
    mail_at = models.DateTimeField(db_default=Now())  # the same of the mail server
    mail_tries = models.PositiveIntegerField(db_default=0)
    mail_error = models.CharField(max_length=200, db_default="", blank=True)
    mailed_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "alert"
        ordering = ["-id"]
        default_permissions = ("view",)
        indexes = [
            models.Index(fields=["acked_at", "scope", "scope_id", "at"], name="alert_open"),
            models.Index(fields=["paged_at", "acked_at", "page_at"], name="alert_unpaged"),
            models.Index(fields=["mailed_at", "acked_at", "mail_at"], name="alert_unmailed"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} of {self.scope} {self.scope_id}: {self.text}"
