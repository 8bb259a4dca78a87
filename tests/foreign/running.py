"""Scripts of other people's clients, run by their own environment against a simulator."""

import asyncio
import json
import os
from pathlib import Path
from typing import Any

import pytest

from tests.fixtures.captures import ROOT

PYTHON = ROOT / ".venv-foreign" / "bin" / "python"
HERE = Path(__file__).parent
DEADLINE_S = 180.0
NEEDS_CLIENTS = pytest.mark.skipif(not PYTHON.exists(), reason="no environment of foreign clients: make foreign")


async def run(script: str, task: Any) -> Any:
    """What the script prints. It is ended at the deadline; AssertionError with its words when it fails."""
    process = await asyncio.create_subprocess_exec(
        str(PYTHON),
        str(HERE / "clients" / script),
        json.dumps(task),
        env={"PATH": os.environ["PATH"], "HOME": os.environ["CT_DATA_DIR"]}
        | {"PYTHONPATH": f"{HERE / 'guard'}:{ROOT}", "PYTHONDONTWRITEBYTECODE": "1"},
        cwd=os.environ["CT_DATA_DIR"],
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        async with asyncio.timeout(DEADLINE_S):
            output, errors = await process.communicate()
    except TimeoutError:
        process.kill()
        output, errors = await process.communicate()
    assert process.returncode == 0, f"{script} ended with {process.returncode}: {errors.decode()[-3000:]}"
    return json.loads(output.splitlines()[-1])
