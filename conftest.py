"""Fixtures for all tests: each kind of server has its own module in tests/fixtures."""

from hypothesis import HealthCheck, settings

# a machine that is busy with others says nothing about a property
settings.register_profile("unhurried", settings(), deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("unhurried")

pytest_plugins = [
    "tests.fixtures.captures",
    "tests.fixtures.clickhouse",
    "tests.fixtures.network",
    "tests.fixtures.redis",
    "tests.fixtures.selection",
    "tests.fixtures.emptied",  # uses the one before
    "tests.fixtures.simulator",
]
