"""A worker in a process of its own, with webhooks and the sample's events; it is killed by the test."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from kameng.settings import Settings
from kameng.tasks import run_worker
from kameng.webhooks import module
from tests.engine.events.sample import sample

if __name__ == "__main__":
    tree = json.loads(sys.argv[1])
    run_worker(Settings(tree, root=Path(sys.argv[2])), modules=[module, sample()])
