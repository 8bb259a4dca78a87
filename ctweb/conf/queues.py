"""Celery's settings: every task may run twice, carries ids only, and ends within ten minutes."""

from pathlib import Path
from typing import Any

from kombu.entity import Queue

QUEUES = ("default", "recover", "audit", "exec.wake")  # beside `flush.<host>`, which the host's own worker names


def celery_settings(*, redis_url: str, run_dir: Path, finish_s: float) -> dict[str, Any]:
    """For `app.add_defaults`. A worker that is told to stop gives its tasks `finish_s` before it puts them back."""
    return {
        "broker_url": redis_url.replace("unix://", "redis+socket://", 1),
        "broker_connection_retry_on_startup": True,
        "broker_connection_max_retries": None,
        "broker_transport_options": {
            "visibility_timeout": 3600,
            "socket_timeout": 30,
            "socket_connect_timeout": 5,
            "socket_keepalive": True,
            "health_check_interval": 25,
            "unacked_restore_interval": 5,
            "global_keyprefix": "ct:",
        },
        "task_default_queue": "default",
        "task_queues": [Queue(name) for name in QUEUES],
        "task_routes": {"apps.trading.tasks.wake_*": {"queue": "exec.wake"}},  # a worker of its own: -P threads
        "task_serializer": "json",
        "accept_content": ["json"],
        "task_ignore_result": True,
        "task_acks_late": True,
        "task_reject_on_worker_lost": True,
        "task_time_limit": 600,
        "task_soft_time_limit": 540,
        "worker_prefetch_multiplier": 1,
        "worker_direct": True,  # a queue of each worker's own, for its canaries
        "worker_soft_shutdown_timeout": finish_s,
        "worker_cancel_long_running_tasks_on_connection_loss": True,
        "worker_max_tasks_per_child": 1000,
        "worker_max_memory_per_child": 400_000,
        "worker_hijack_root_logger": False,
        "beat_schedule_filename": str(run_dir / "celerybeat-schedule"),
    }
