"""How large tests of generated input are."""

import os


def examples(usual: int) -> int:
    """How many cases a test generates: its usual number, times `CT_EXAMPLES`, which is 1 and may be a fraction."""
    return max(1, round(usual * float(os.environ.get("CT_EXAMPLES", "1"))))
