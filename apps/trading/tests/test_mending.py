from typing import Any

import pytest
from django.db import connection

from apps.trading.execution.runtime.transactions import mend
from apps.trading.models import Account


@pytest.mark.django_db(transaction=True, serialized_rollback=True)
@pytest.mark.parametrize("close", [connection.close, lambda: None], ids=["closed", "open"])
def test_a_thread_goes_on_with_a_connection_that_has_failed(close: Any):
    """It may also be none at all, where the database could not be reached."""
    close()
    connection.errors_occurred = True
    mend()
    assert not connection.errors_occurred
    assert Account.objects.exists() in (True, False)
