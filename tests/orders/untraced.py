"""Processes whose times are judged: under coverage they would take half as long again, which tells of no executor."""

import os

TRACING = "COVERAGE_"  # coverage hands itself on by variables that begin so


def environment() -> dict[str, str]:
    """Of a child that coverage does not follow."""
    return {name: value for name, value in os.environ.items() if not name.startswith(TRACING)}
