"""Fixtures for all tests: each kind of server has its own module in tests/fixtures."""

pytest_plugins = [
    "tests.fixtures.captures",
    "tests.fixtures.clickhouse",
    "tests.fixtures.network",
    "tests.fixtures.redis",
    "tests.fixtures.selection",
    "tests.fixtures.simulator",
]
