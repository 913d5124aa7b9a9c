"""From an event to an endpoint, with all the faults that endpoints have."""

from __future__ import annotations

import asyncio
import json
import time
from base64 import b64decode
from datetime import datetime

import pytest
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from kameng.tasks import drain
from kameng.webhooks import attempts, endpoints
from kameng.webhooks.signing import secret_text
from tests.engine.events.sample import emit

from .conftest import Hooks, Receiver


async def test_an_event_reaches_the_endpoint_signed(hooks: Hooks, receiver: Receiver) -> None:
    # given an endpoint that wants it
    key = await hooks.endpoint(f"{receiver.url}/ok?shop=1")
    # when it happens
    await hooks.emit(7)
    # then one request came, whose signature the reference library accepts
    [request] = receiver.got()
    secret = secret_text(await endpoints.reveal_secret(hooks.context(), key))
    headers = {name.lower(): value for name, value in request["headers"].items()}
    assert Webhook(secret).verify(request["body"], headers) == json.loads(request["body"])
    with pytest.raises(WebhookVerificationError):
        Webhook(secret).verify(request["body"] + " ", headers)
    # and it tells the event
    body = json.loads(request["body"])
    assert body["type"] == "sample.counted"
    assert body["data"] == {"number": 7, "note": ""}
    assert datetime.fromisoformat(body["timestamp"]).tzinfo is not None
    assert request["path"] == "/ok?shop=1"
    assert headers["content-type"] == "application/json"
    # and all is written down
    [delivery] = await hooks.deliveries()
    assert (delivery["state"], delivery["attempts"], delivery["last_status"]) == ("delivered", 1, 200)
    assert headers["webhook-id"] == f"msg_{delivery['id'].hex}"
    [attempt] = await hooks.kernel.db.fetch("select * from webhooks_attempt")
    assert (attempt["status"], attempt["error"], attempt["excerpt"]) == (200, None, "thanks")


async def test_nothing_is_owed_where_nobody_wants_it(hooks: Hooks, receiver: Receiver) -> None:
    # given an endpoint for another event, and a disabled one
    await hooks.endpoint(f"{receiver.url}/ok", "sample.unheard")
    off = await hooks.endpoint(f"{receiver.url}/ok")
    await endpoints.set_enabled(hooks.context(), off, enabled=False)
    # when it happens
    await hooks.emit(1)
    # then nothing is sent, and the relay has written no delivery for the observer either
    assert receiver.got() == []
    assert await hooks.deliveries() == []
    topics = await hooks.kernel.db.fetch("select topic from kernel_subscription")
    assert [row["topic"] for row in topics] == ["sample.unheard"]


async def test_an_event_is_owed_once_however_often_it_is_handed_over(
    hooks: Hooks, receiver: Receiver
) -> None:
    # given an event that is delivered
    await hooks.endpoint(f"{receiver.url}/ok")
    await hooks.emit(1)
    # when the relay hands it to the observer once more
    await hooks.kernel.db.execute(
        "insert into kernel_delivery (event_id, handler, next_at)"
        " select id, 'webhooks.fan_out', now() - interval '1 second' from kernel_outbox"
    )
    await drain(hooks.kernel)
    # then the endpoint got it once
    assert len(receiver.got()) == 1
    assert await hooks.states() == ["delivered"]


async def test_what_fails_is_tried_again_under_the_same_id(hooks: Hooks, receiver: Receiver) -> None:
    # given an endpoint that answers 500 twice
    await hooks.endpoint(f"{receiver.url}/twice")
    await hooks.emit(1)
    [first] = await hooks.deliveries()
    # then it waits about five seconds
    assert (first["state"], first["last_status"]) == ("waiting", 500)
    wait = await hooks.kernel.db.fetchval(
        "select extract(epoch from next_at - now())::float8 from webhooks_delivery"
    )
    assert 0 < wait <= 5 * 1.15
    # when its time has come, twice
    await hooks.later()
    await hooks.later()
    # then it is delivered, and each attempt had the id and the body of the first, but a signature of its own time
    assert await hooks.states() == ["delivered"]
    requests = receiver.got()
    assert len(requests) == 3
    assert len({request["headers"]["webhook-id"] for request in requests}) == 1
    assert len({request["body"] for request in requests}) == 1
    log = await hooks.kernel.db.fetch("select status, error from webhooks_attempt order by id")
    assert [row["status"] for row in log] == [500, 500, 204]


@pytest.mark.parametrize(
    ("path", "status", "error"),
    [
        ("fail", 500, "WEBHOOK_REFUSED"),
        ("redirect", 302, "WEBHOOK_REDIRECTED"),
        ("drop", None, "WEBHOOK_NO_ANSWER"),
        ("halfway", None, "WEBHOOK_NO_ANSWER"),
        ("slow", None, "WEBHOOK_NO_ANSWER"),
        ("drip", None, "WEBHOOK_NO_ANSWER"),
    ],
)
async def test_only_a_success_counts(
    hooks: Hooks, receiver: Receiver, path: str, status: int | None, error: str
) -> None:
    await hooks.endpoint(f"{receiver.url}/{path}")
    await hooks.emit(1)
    [delivery] = await hooks.deliveries()
    assert (delivery["state"], delivery["last_status"]) == ("waiting", status)
    assert delivery["last_error"].startswith(error)
    # a redirect is not followed
    assert {request["path"] for request in receiver.got()} == {f"/{path}"}


async def test_an_endless_answer_is_read_to_a_bound(hooks: Hooks, receiver: Receiver) -> None:
    await hooks.endpoint(f"{receiver.url}/endless")
    await hooks.emit(1)
    assert await hooks.states() == ["delivered"]
    assert await hooks.kernel.db.fetchval("select length(excerpt) from webhooks_attempt") == 1024


async def test_retry_after_is_heard(hooks: Hooks, receiver: Receiver) -> None:
    await hooks.endpoint(f"{receiver.url}/busy")
    await hooks.emit(1)
    wait = await hooks.kernel.db.fetchval(
        "select extract(epoch from next_at - now())::float8 from webhooks_delivery"
    )
    assert 7200 * 0.8 < wait <= 7200 * 1.15


async def test_whoever_is_gone_is_told_nothing_more(hooks: Hooks, receiver: Receiver) -> None:
    # when an endpoint answers 410
    key = await hooks.endpoint(f"{receiver.url}/gone")
    await hooks.emit(1, 2)
    # then it is off, with an event that says so, and what it was owed is dead
    [row] = await hooks.kernel.db.fetch("select state, reason from webhooks_endpoint")
    assert tuple(row) == ("disabled", "gone")
    told = await hooks.kernel.db.fetch(
        "select payload ->> 'endpoint' as key from kernel_outbox where topic like 'web%'"
    )
    assert [row["key"] for row in told] == [str(key)]
    assert await hooks.states() == ["dead", "dead"]
    # and further events are not owed
    await hooks.emit(3)
    assert len(await hooks.deliveries()) == 2


async def test_after_all_pauses_it_is_a_dead_letter(hooks: Hooks, receiver: Receiver) -> None:
    await hooks.endpoint(f"{receiver.url}/fail")
    await hooks.emit(1)
    for _ in range(len(attempts.PAUSES) - 1):
        await hooks.later()
    assert await hooks.states() == ["waiting"]
    await hooks.later()
    assert await hooks.states() == ["dead"]
    assert len(receiver.got()) == len(attempts.PAUSES) + 1
    # the pauses make about three days
    assert 3 * 86_400 < sum(attempts.PAUSES) < 3.2 * 86_400


async def test_what_is_too_old_is_given_up(hooks: Hooks, receiver: Receiver) -> None:
    # given a delivery to an endpoint that was switched off meanwhile
    key = await hooks.endpoint(f"{receiver.url}/fail")
    await hooks.emit(1)
    await endpoints.set_enabled(hooks.context(), key, enabled=False)
    await hooks.kernel.db.execute("update webhooks_delivery set gives_up_at = now() - interval '1 second'")
    # when days have passed
    await hooks.later()
    # then it is dead and was not sent again
    assert await hooks.states() == ["dead"]
    assert len(receiver.got()) == 1


async def test_a_failing_endpoint_is_left_alone_and_then_tried_by_one(
    hooks: Hooks, receiver: Receiver
) -> None:
    # given an endpoint that fails often in a row
    await hooks.endpoint(f"{receiver.url}/fail")
    await hooks.emit(*range(8))
    [endpoint] = await hooks.kernel.db.fetch("select *, resume_at > now() as resting from webhooks_endpoint")
    assert endpoint["resting"]
    asked = len(receiver.got())
    assert asked == endpoint["failures"] == 8 or asked < 8
    # when all is due while it is left alone
    await hooks.kernel.db.execute("update webhooks_delivery set next_at = now()")
    await hooks.kernel.tasks.enqueue("webhooks.send")
    await drain(hooks.kernel)
    # then nothing is sent, and no attempt is used up
    assert len(receiver.got()) == asked
    # when the rest is over
    await hooks.later()
    # then one delivery tries how it is, and it is left alone for longer
    assert len(receiver.got()) == asked + 1
    # and when it is well again, all comes
    await hooks.kernel.db.execute("update webhooks_endpoint set url = $1", f"{receiver.url}/ok")
    await hooks.later()
    assert set(await hooks.states()) == {"delivered"}
    assert await hooks.kernel.db.fetchval("select failures from webhooks_endpoint") == 0


async def test_who_fails_for_days_is_switched_off(hooks: Hooks, receiver: Receiver) -> None:
    # given an endpoint that began to fail six days ago
    await hooks.endpoint(f"{receiver.url}/fail")
    await hooks.emit(1)
    await hooks.kernel.db.execute(
        "update webhooks_endpoint set failures = 40, failing_since = now() - interval '6 days'"
    )
    # when it fails once more
    await hooks.later()
    # then it is off, and hears of nothing
    [row] = await hooks.kernel.db.fetch("select state, reason from webhooks_endpoint")
    assert tuple(row) == ("disabled", "failing")
    assert await hooks.kernel.db.fetchval("select count(*) from kernel_subscription") == 0
    # and the event says which one
    told = await hooks.kernel.db.fetch(
        "select payload ->> 'reason' as reason from kernel_outbox where topic like 'web%'"
    )
    assert [row["reason"] for row in told] == ["failing"]


async def test_a_dead_endpoint_does_not_hold_up_the_others(hooks: Hooks, receiver: Receiver) -> None:
    # given one endpoint that never answers in time, and one that does
    await hooks.endpoint(f"{receiver.url}/a/slow")
    await hooks.endpoint(f"{receiver.url}/b/ok")
    # when much happens
    began = time.time()
    await hooks.emit(*range(40))
    # then the good one has all before the other's first time-out
    good = [request["at"] for request in receiver.got("/b/ok")]
    assert len(good) == 40
    slow = [request["at"] for request in receiver.got("/a/slow")]
    assert max(good) < min(slow) + 2.0, (began, good[-1], slow)
    # and to the slow one no more than four requests were under way at once
    assert len([at for at in slow if at < min(slow) + 1.9]) <= 4


async def test_no_more_than_four_requests_are_under_way_to_one_endpoint(
    hooks: Hooks, receiver: Receiver
) -> None:
    # given two processes that send at once
    from kameng.webhooks.sending import Sender

    await hooks.endpoint(f"{receiver.url}/brief")
    await emit(hooks.kernel, *range(20))
    one, two = Sender(hooks.kernel), Sender(hooks.kernel)
    await drain(hooks.kernel)
    await asyncio.gather(one.run(), two.run())
    assert len(receiver.got()) == 20
    assert max(request["flying"] for request in receiver.got()) <= 4


async def test_two_secrets_hold_while_one_takes_over(hooks: Hooks, receiver: Receiver) -> None:
    from datetime import timedelta

    key = await hooks.endpoint(f"{receiver.url}/ok")
    old = await endpoints.reveal_secret(hooks.context(), key)
    # when the secret is replaced
    await endpoints.rotate_secret(hooks.context(), key, timedelta(hours=24))
    new = await endpoints.reveal_secret(hooks.context(), key)
    assert new != old
    await hooks.emit(1)
    # then receivers with either secret accept the message
    [request] = receiver.got()
    headers = {name.lower(): value for name, value in request["headers"].items()}
    for secret in (old, new):
        Webhook(secret_text(secret)).verify(request["body"], headers)
    assert len(headers["webhook-signature"].split()) == 2
    # when it is replaced at once
    await endpoints.rotate_secret(hooks.context(), key, timedelta())
    await hooks.emit(2)
    headers = {name.lower(): value for name, value in receiver.got()[1]["headers"].items()}
    newest = await endpoints.reveal_secret(hooks.context(), key)
    Webhook(secret_text(newest)).verify(receiver.got()[1]["body"], headers)
    for secret in (old, new):
        with pytest.raises(WebhookVerificationError):
            Webhook(secret_text(secret)).verify(receiver.got()[1]["body"], headers)
    assert len(b64decode(secret_text(newest).removeprefix("whsec_"))) == 32


async def test_a_killed_senders_deliveries_are_sent_by_the_next(hooks: Hooks, receiver: Receiver) -> None:
    # given a delivery that a process claimed and was killed with
    await hooks.endpoint(f"{receiver.url}/ok")
    await emit(hooks.kernel, 1)
    await drain_events(hooks)
    from datetime import timedelta

    from kameng.webhooks import statements

    claimed = await hooks.kernel.db.fetch(statements.CLAIM, timedelta(minutes=1), 4, 32)
    assert len(claimed) == 1
    # when its lease has not ended, then nobody sends it
    await hooks.kernel.tasks.enqueue("webhooks.send")
    await drain(hooks.kernel)
    assert await hooks.states() == ["sending"]
    # when it has
    await hooks.later()
    # then it is sent
    assert await hooks.states() == ["delivered"]
    assert len(receiver.got()) == 1


async def drain_events(hooks: Hooks) -> None:
    """Let the observer do its work without anything being sent."""
    from kameng.events import Happened
    from kameng.webhooks.fan_out import fan_out

    rows = await hooks.kernel.db.fetch("select id, topic, created_at, payload from kernel_outbox")
    async with hooks.kernel.db.transaction():
        await fan_out(
            hooks.kernel,
            [
                Happened(number=r["id"], topic=r["topic"], at=r["created_at"], payload=r["payload"])
                for r in rows
            ],
        )
    await hooks.kernel.db.execute("delete from kernel_task")
