"""The back office: endpoints, deliveries, replay, tests, and who may do what."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from kameng.ids import global_id
from kameng.tasks import drain
from kameng.testing.clients import Client, a_clerk
from kameng.webhooks import endpoints

from .conftest import Hooks, Receiver

CREATE = """
mutation Create($input: WebhookEndpointInput!, $key: String!) {
  createWebhookEndpoint(input: $input) @idempotent(key: $key) {
    endpoint { id name url events state document permissions }
    errors { code path message }
  }
}
"""

LIST = """
query($filter: WebhookDeliveryFilter) {
  webhookDeliveries(filter: $filter) {
    nodes { id messageId event data state attempts lastStatus lastError endpoint { id name } log { status error excerpt } }
  }
}
"""


async def create(client: Client, **values: Any) -> dict[str, Any]:
    """Ask for an endpoint; the payload."""
    value = {"name": "ERP", "url": "https://erp.example/hooks", "events": ["sample.counted"], **values}
    data = await client(CREATE, {"input": value, "key": str(uuid4())})
    payload: dict[str, Any] = data["createWebhookEndpoint"]
    return payload


async def test_an_endpoint_is_made_seen_and_changed(hooks: Hooks) -> None:
    made = await create(hooks.admin)
    assert made["errors"] == []
    endpoint = made["endpoint"]
    assert (endpoint["name"], endpoint["state"], endpoint["events"]) == ("ERP", "ENABLED", ["sample.counted"])
    # sent again with its key it is made once
    key = str(uuid4())
    value = {"name": "B", "url": "https://b.example/", "events": ["sample.counted"]}
    first, second = [await hooks.admin(CREATE, {"input": value, "key": key}) for _ in range(2)]
    assert first == second
    # it is found by its id, and in the list, the newest first
    data = await hooks.admin(
        "query($id: ID!) { node(id: $id) { ... on WebhookEndpoint { name } } webhookEndpoints { nodes { name } } }",
        {"id": endpoint["id"]},
    )
    assert data["node"] == {"name": "ERP"}
    assert [item["name"] for item in data["webhookEndpoints"]["nodes"]] == ["B", "ERP"]
    # and is changed, switched off and deleted
    data = await hooks.admin(
        """mutation($id: ID!, $input: WebhookEndpointInput!) {
          changeWebhookEndpoint(id: $id, input: $input) { endpoint { name events } errors { code } }
          setWebhookEndpointEnabled(id: $id, enabled: false) { endpoint { state disabledReason } }
          deleteWebhookEndpoint(id: $id) { deleted }
        }""",
        {
            "id": endpoint["id"],
            "input": {**value, "name": "C", "events": ["sample.unheard", "sample.counted"]},
        },
    )
    assert data["changeWebhookEndpoint"]["endpoint"] == {
        "name": "C",
        "events": ["sample.counted", "sample.unheard"],
    }
    assert data["setWebhookEndpointEnabled"]["endpoint"] == {
        "state": "DISABLED",
        "disabledReason": "OPERATOR",
    }
    assert data["deleteWebhookEndpoint"] == {"deleted": True}
    # all of it is in the audit log, without the address's path
    page = await hooks.kernel.audit.page(subject=f"webhook_endpoint:{_key(endpoint['id'])}")
    assert [entry.action for entry in page.entries] == [
        "webhooks.delete_endpoint",
        "webhooks.disable_endpoint",
        "webhooks.change_endpoint",
        "webhooks.create_endpoint",
    ]
    assert page.entries[-1].details["host"] == "erp.example"
    assert "hooks" not in json.dumps(page.entries[-1].details)


def _key(text: str) -> str:
    from kameng.ids import key_of

    return str(key_of("WebhookEndpoint", text))


@pytest.mark.parametrize(
    ("values", "code", "path"),
    [
        ({"url": "http://erp.example/"}, "WEBHOOK_ENDPOINT_REFUSED", ["input", "url"]),
        ({"url": "https://10.0.0.1/"}, "WEBHOOK_ENDPOINT_REFUSED", ["input", "url"]),
        ({"name": ""}, "WEBHOOK_ENDPOINT_REFUSED", ["input", "name"]),
        ({"name": "a\nb"}, "WEBHOOK_ENDPOINT_REFUSED", ["input", "name"]),
        ({"events": []}, "WEBHOOK_ENDPOINT_REFUSED", ["input", "events"]),
        ({"events": ["no.such"]}, "WEBHOOK_ENDPOINT_REFUSED", ["input", "events"]),
        ({"locale": "fr"}, "WEBHOOK_ENDPOINT_REFUSED", ["input", "locale"]),
        ({"permissions": ["webhooks.read_deliveries"]}, "WEBHOOK_ENDPOINT_REFUSED", ["input", "document"]),
        (
            {"document": "{ engineVersion }", "permissions": ["no.such"]},
            "WEBHOOK_ENDPOINT_REFUSED",
            ["input", "permissions"],
        ),
        (
            {"document": "{ engineVersion }", "permissions": ["*"]},
            "WEBHOOK_ENDPOINT_REFUSED",
            ["input", "permissions"],
        ),
        ({"document": "{ noSuchField }"}, "WEBHOOK_ENDPOINT_REFUSED", ["input", "document"]),
        ({"document": "{"}, "WEBHOOK_ENDPOINT_REFUSED", ["input", "document"]),
        ({"document": "{" + "a".join("{" * 50)}, "WEBHOOK_ENDPOINT_REFUSED", ["input", "document"]),
        (
            {"document": 'mutation { deleteWebhookEndpoint(id: "x") { deleted } }'},
            "WEBHOOK_ENDPOINT_REFUSED",
            ["input", "document"],
        ),
        (
            {"document": "{ engineVersion }", "variables": [{"name": "a", "field": "number"}]},
            "WEBHOOK_ENDPOINT_REFUSED",
            ["input", "variables"],
        ),
    ],
)
async def test_endpoints_that_are_refused(
    hooks: Hooks, values: dict[str, Any], code: str, path: list[str]
) -> None:
    made = await create(hooks.admin, **values)
    assert made["endpoint"] is None
    assert [(error["code"], error["path"]) for error in made["errors"]] == [(code, path)]
    assert await hooks.kernel.db.fetchval("select count(*) from webhooks_endpoint") == 0


async def test_nobody_gives_an_endpoint_more_than_he_holds(hooks: Hooks) -> None:
    # given a clerk who may manage endpoints, and see nothing else
    clerk = Client(hooks.kernel, "admin", a_clerk("webhooks.manage_endpoints"))
    values = {
        "document": "{ webhookEndpoints { nodes { url } } }",
        "permissions": ["webhooks.read_deliveries"],
    }
    # then he cannot make an endpoint that sees more
    made = await create(clerk, **values)
    assert [error["code"] for error in made["errors"]] == ["FORBIDDEN"]
    # nor turn another's document to an address of his own
    other = (await create(hooks.admin, **values))["endpoint"]["id"]
    data = await clerk(
        "mutation($id: ID!, $input: WebhookEndpointInput!) { changeWebhookEndpoint(id: $id, input: $input)"
        " { errors { code } } }",
        {"id": other, "input": {"name": "x", "url": "https://evil.example/", "events": ["sample.counted"]}},
    )
    assert data["changeWebhookEndpoint"]["errors"] == [{"code": "FORBIDDEN"}]


async def test_who_lacks_the_permissions_sees_and_does_nothing(hooks: Hooks) -> None:
    endpoint = global_id("WebhookEndpoint", await hooks.endpoint("https://erp.example/"))
    stranger = Client(hooks.kernel, "admin", a_clerk("graphql.introspect"))
    for source in (
        "{ webhookEndpoints { nodes { id } } }",
        "{ webhookDeliveries { nodes { id } } }",
        "{ webhookEventTypes { name } }",
    ):
        assert await stranger.codes(source) == ["FORBIDDEN"]
    assert await stranger("query($id: ID!) { node(id: $id) { id } }", {"id": endpoint}) == {"node": None}
    # whoever may look may not change
    reader = Client(hooks.kernel, "admin", a_clerk("webhooks.read_deliveries"))
    for field in (
        "setWebhookEndpointEnabled(id: $id, enabled: false)",
        "deleteWebhookEndpoint(id: $id)",
        "rotateWebhookSecret(id: $id)",
        "revealWebhookSecret(id: $id)",
        "sendWebhookTest(endpointId: $id)",
        'replayWebhookRange(endpointId: $id, since: "2026-01-01T00:00:00Z", until: "2026-01-02T00:00:00Z")',
    ):
        name = field.partition("(")[0]
        data = await reader(f"mutation($id: ID!) {{ {field} {{ errors {{ code }} }} }}", {"id": endpoint})
        assert data[name]["errors"] == [{"code": "FORBIDDEN"}]


async def test_event_types_tell_what_they_hold(hooks: Hooks) -> None:
    data = await hooks.admin("{ webhookEventTypes { name description fields } }")
    names = [item["name"] for item in data["webhookEventTypes"]]
    assert names == ["sample.counted", "sample.unheard", "webhooks.endpoint_disabled"]
    assert "number" in json.dumps(json.loads(data["webhookEventTypes"][0]["fields"]))


async def test_the_secret_is_shown_and_each_look_written_down(hooks: Hooks) -> None:
    key = await hooks.endpoint("https://erp.example/")
    endpoint = global_id("WebhookEndpoint", key)
    reveal = "mutation($id: ID!) { revealWebhookSecret(id: $id) { secret } }"
    first = (await hooks.admin(reveal, {"id": endpoint}))["revealWebhookSecret"]["secret"]
    assert first.startswith("whsec_")
    await hooks.admin(
        "mutation($id: ID!) { rotateWebhookSecret(id: $id) { errors { code } } }", {"id": endpoint}
    )
    assert (await hooks.admin(reveal, {"id": endpoint}))["revealWebhookSecret"]["secret"] != first
    page = await hooks.kernel.audit.page(action="webhooks.reveal_secret")
    assert len(page.entries) == 2
    # it lies sealed in the database
    rows = await hooks.kernel.db.fetch("select sealed from webhooks_secret")
    assert len(rows) == 2
    assert all(first.encode() not in row["sealed"] for row in rows)


async def test_a_test_is_sent_once_also_to_a_disabled_endpoint(hooks: Hooks, receiver: Receiver) -> None:
    key = await hooks.endpoint(f"{receiver.url}/fail")
    await endpoints.set_enabled(hooks.context(), key, enabled=False)
    send = "mutation($id: ID!) { sendWebhookTest(endpointId: $id) { delivery { id state event } errors { code } } }"
    data = await hooks.admin(send, {"id": global_id("WebhookEndpoint", key)})
    delivery = data["sendWebhookTest"]["delivery"]
    assert (delivery["state"], delivery["event"]) == ("WAITING", "webhooks.test")
    await drain(hooks.kernel)
    # then it is told what came of it, and the endpoint's failures are not counted
    data = await hooks.admin(LIST)
    [shown] = data["webhookDeliveries"]["nodes"]
    assert (shown["id"], shown["state"], shown["lastStatus"]) == (delivery["id"], "DEAD", 500)
    assert shown["log"] == [
        {"status": 500, "error": "WEBHOOK_REFUSED: The endpoint answered 500.", "excerpt": "broken� inside"}
    ]
    assert await hooks.kernel.db.fetchval("select failures from webhooks_endpoint") == 0
    assert len(receiver.got()) == 1


async def test_dead_letters_are_seen_and_replayed(hooks: Hooks, receiver: Receiver) -> None:
    # given dead letters of an endpoint that is mended
    key = await hooks.endpoint(f"{receiver.url}/fail")
    await hooks.emit(1, 2, 3)
    await hooks.kernel.db.execute("update webhooks_delivery set state = 'dead'")
    await hooks.kernel.db.execute("update webhooks_endpoint set url = $1", f"{receiver.url}/ok")
    data = await hooks.admin(LIST, {"filter": {"state": "DEAD", "event": "sample.counted"}})
    dead = data["webhookDeliveries"]["nodes"]
    assert sorted(json.loads(item["data"])["number"] for item in dead) == [1, 2, 3]
    assert {item["lastError"] for item in dead} == {"WEBHOOK_REFUSED: The endpoint answered 500."}
    # when one is replayed
    one = "mutation($ids: [ID!]!) { replayWebhookDeliveries(ids: $ids) { count errors { code } } }"
    data = await hooks.admin(one, {"ids": [dead[0]["id"]]})
    assert data["replayWebhookDeliveries"] == {"count": 1, "errors": []}
    await hooks.later()
    # then it came under its old id
    again = receiver.got("/ok")
    assert [request["headers"]["webhook-id"] for request in again] == [dead[0]["messageId"]]
    # when the rest of the hour is
    now = datetime.now(UTC)
    many = """mutation($id: ID!, $since: DateTime!, $until: DateTime!, $delivered: Boolean!) {
      replayWebhookRange(endpointId: $id, since: $since, until: $until, includeDelivered: $delivered) { queued errors { code } }
    }"""
    span = {
        "id": global_id("WebhookEndpoint", key),
        "since": (now - timedelta(hours=1)).isoformat(),
        "until": (now + timedelta(hours=1)).isoformat(),
    }
    data = await hooks.admin(many, {**span, "delivered": False})
    assert data["replayWebhookRange"] == {"queued": True, "errors": []}
    await drain(hooks.kernel)
    assert len(receiver.got("/ok")) == 3
    assert await hooks.states() == ["delivered"] * 3
    # and with what it had
    await hooks.admin(many, {**span, "delivered": True})
    await drain(hooks.kernel)
    assert len(receiver.got("/ok")) == 6
    # but not for years
    data = await hooks.admin(many, {**span, "since": "2020-01-01T00:00:00Z", "delivered": False})
    assert data["replayWebhookRange"]["errors"] == [{"code": "INVALID_INPUT"}]


async def test_what_an_endpoint_missed_can_be_caught_up(hooks: Hooks, receiver: Receiver) -> None:
    # given events that happened while it was switched off
    key = await hooks.endpoint(f"{receiver.url}/ok")
    await endpoints.set_enabled(hooks.context(), key, enabled=False)
    await hooks.emit(1, 2)
    await endpoints.set_enabled(hooks.context(), key, enabled=True)
    await drain(hooks.kernel)
    assert receiver.got() == []
    # when they are asked for, twice
    now = datetime.now(UTC)
    many = """mutation($id: ID!, $since: DateTime!, $until: DateTime!) {
      replayWebhookRange(endpointId: $id, since: $since, until: $until, includeMissed: true) { queued }
    }"""
    span = {
        "id": global_id("WebhookEndpoint", key),
        "since": (now - timedelta(hours=1)).isoformat(),
        "until": (now + timedelta(hours=1)).isoformat(),
    }
    for _ in range(2):
        await hooks.admin(many, span)
        await drain(hooks.kernel)
    # then each came once
    assert sorted(json.loads(request["body"])["data"]["number"] for request in receiver.got()) == [1, 2]
