"""What an endpoint's own document makes of an event."""

from __future__ import annotations

import json

from kameng.webhooks.documents import Variable

from .conftest import Hooks, Receiver

DOCUMENT = """
query Sent($id: ID!, $first: Int!) {
  node(id: $id) { ... on WebhookEndpoint { name url } }
  webhookEndpoints(first: $first) { nodes { name } }
}
"""


async def test_the_documents_answer_is_sent_as_the_data(hooks: Hooks, receiver: Receiver) -> None:
    # given an endpoint with a document that may see endpoints, and takes a variable from the event
    key = await hooks.endpoint(
        f"{receiver.url}/twice",
        document=DOCUMENT,
        variables=(
            Variable(name="first", field="number"),
            Variable(name="id", field="note", node_type="WebhookEndpoint"),
        ),
        permissions=("webhooks.read_deliveries",),
    )
    # when an event happens that names it
    from kameng.tasks import drain
    from tests.engine.events.sample import Counted

    async with hooks.kernel.db.transaction():
        await hooks.kernel.events.emit(Counted(number=1, note=str(key)))
    await drain(hooks.kernel)
    # then what the document asks for is sent
    [request] = receiver.got()
    body = json.loads(request["body"])
    assert body["type"] == "sample.counted"
    assert body["data"] == {
        "node": {"name": "Test", "url": f"{receiver.url}/twice"},
        "webhookEndpoints": {"nodes": [{"name": "Test"}]},
    }
    # and sent again as it was, though the world has changed
    await hooks.kernel.db.execute("update webhooks_endpoint set name = 'Changed'")
    await hooks.later()
    await hooks.later()
    assert await hooks.states() == ["delivered"]
    assert {item["body"] for item in receiver.got()} == {request["body"]}
    # what was sent lies sealed, and what was answered is not kept, since it may repeat it
    row = await hooks.kernel.db.fetchrow("select sealed, data from webhooks_delivery")
    assert row is not None
    assert request["body"].encode() not in row["sealed"]
    assert (
        await hooks.kernel.db.fetchval("select count(*) from webhooks_attempt where excerpt is not null") == 0
    )


async def test_a_document_sees_no_more_than_its_permissions(hooks: Hooks, receiver: Receiver) -> None:
    # given a document without the permission that it needs
    await hooks.endpoint(f"{receiver.url}/ok", document="{ webhookEndpoints { nodes { url } } }")
    await hooks.emit(1)
    # then nothing is sent, and a person can see why; the endpoint is not to blame
    assert receiver.got() == []
    [delivery] = await hooks.deliveries()
    assert delivery["state"] == "waiting"
    assert delivery["last_error"].startswith(
        "WEBHOOK_PAYLOAD_FAILED: The document was answered with FORBIDDEN."
    )
    assert await hooks.kernel.db.fetchval("select failures from webhooks_endpoint") == 0


async def test_variables_that_the_event_does_not_fit(hooks: Hooks, receiver: Receiver) -> None:
    await hooks.endpoint(
        f"{receiver.url}/ok",
        document="query($id: ID!) { node(id: $id) { id } }",
        variables=(Variable(name="id", field="note", node_type="Order"),),
    )
    await hooks.endpoint(
        f"{receiver.url}/ok",
        document="query($id: ID!) { node(id: $id) { id } }",
        variables=(Variable(name="id", field="missing"),),
    )
    await hooks.emit(1)
    errors = sorted(row["last_error"] for row in await hooks.deliveries())
    assert errors[0].startswith("WEBHOOK_PAYLOAD_FAILED: The document was answered with GRAPHQL_INVALID.")
    assert errors[1].startswith("WEBHOOK_PAYLOAD_FAILED: The event's field note is no key.")
    assert receiver.got() == []
