"""GraphQL over HTTP as the GraphQL foundation's reference implementation audits it."""

from __future__ import annotations

import pytest

from .node import run_script
from .server import Server


@pytest.mark.usefixtures("node")
@pytest.mark.parametrize("schema", ["shop", "admin"])
def test_all_audits_pass_without_a_warning(server: Server, schema: str) -> None:
    # Given the running server, when the audits are run, then each of them is content: no error, no warning, no notice
    assert run_script("audit.mjs", f"{server.url}/graphql/{schema}") == {"count": 61, "failed": []}
