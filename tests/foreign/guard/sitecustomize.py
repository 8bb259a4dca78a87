"""Loaded by Python at the start of every foreign client: it reaches nothing beyond this machine.

Name servers and event loops written in C would connect unseen: without them, Python's own are used.
"""

import sys

from tests.fixtures.network import pytest_configure as guard

sys.modules["aiodns"] = None
sys.modules["uvloop"] = None
guard()
