"""CoinEx beside ccxt: nothing to compare with, for ccxt dropped it in October 2026. Told here when that changes."""

import json
import subprocess

import pytest

from tests.foreign.running import NEEDS_CLIENTS, PYTHON

pytestmark = [pytest.mark.foreign, NEEDS_CLIENTS]


def test_ccxt_does_not_know_coinex() -> None:
    words = "import ccxt, json; print(json.dumps([ccxt.__version__, 'coinex' in ccxt.exchanges]))"
    told = subprocess.run([PYTHON, "-c", words], capture_output=True, check=True, timeout=60)
    version, known = json.loads(told.stdout)
    assert not known, f"ccxt {version} knows CoinEx again: compare our requests with its own"
