"""The back office's view of notifications."""

from __future__ import annotations

from kameng.notify import module
from kameng.tasks import drain
from kameng.testing.clients import Client, a_clerk
from kameng.testing.kernels import Kernels

from .conftest import SAMPLE, MailServer, hello, later, messages, settings, tell

LIST = "{ notifications(state: DEAD) { nodes { id kind recipient state lastError attempts } } }"


async def test_dead_letters_are_seen_tried_again_and_given_up(make_kernel: Kernels, mail: MailServer) -> None:
    kernel = await make_kernel([module, SAMPLE], notify=settings(mail))
    admin = Client(kernel, "admin", a_clerk("*"))
    await tell(kernel, hello("nobody@example.com", "1"), hello("nobody@example.com", "2"))
    await drain(kernel)
    nodes = (await admin(LIST))["notifications"]["nodes"]
    assert [(node["kind"], node["recipient"], node["lastError"]) for node in nodes] == [
        ("sample.hello", "n…@example.com", "The mail server refused the address: 550.")
    ] * 2
    # when one is tried again and the other given up
    data = await admin(
        """mutation($one: [ID!]!, $other: [ID!]!) {
          retryNotifications(ids: $one) { count errors { code } }
          discardNotifications(ids: $other) { count errors { code } }
        }""",
        {"one": [nodes[1]["id"]], "other": [nodes[0]["id"]]},
    )
    assert data == {
        "retryNotifications": {"count": 1, "errors": []},
        "discardNotifications": {"count": 1, "errors": []},
    }
    await later(kernel)
    rows = await messages(kernel)
    assert [(row["state"], row["sealed"] is None) for row in rows] == [("dead", False), ("discarded", True)]
    assert len([entry for entry in mail.entries() if "rcpt" in entry]) == 3
    page = await kernel.audit.page()
    assert {entry.action for entry in page.entries} == {"notify.retry_messages", "notify.discard_messages"}


async def test_a_test_mail(make_kernel: Kernels, mail: MailServer) -> None:
    kernel = await make_kernel([module, SAMPLE], notify=settings(mail))
    admin = Client(kernel, "admin", a_clerk("notify.manage_messages"))
    send = """mutation($email: String!) {
      sendTestNotification(email: $email, locale: "zh-CN") { notification { state recipient } errors { code } }
    }"""
    data = await admin(send, {"email": "boss@example.com"})
    assert data["sendTestNotification"] == {
        "notification": {"state": "QUEUED", "recipient": "b…@example.com"},
        "errors": [],
    }
    await drain(kernel)
    [read] = mail.mails()
    assert read["Subject"] == "来自店铺的测试邮件"
    # without a server it says so
    bare = Client(await make_kernel([module, SAMPLE]), "admin", a_clerk("*"))
    data = await bare(send, {"email": "boss@example.com"})
    assert data["sendTestNotification"]["errors"] == [{"code": "CONFLICT"}]


async def test_who_lacks_the_permissions_sees_and_does_nothing(make_kernel: Kernels) -> None:
    kernel = await make_kernel([module, SAMPLE])
    stranger = Client(kernel, "admin", a_clerk("graphql.introspect"))
    assert await stranger.codes(LIST) == ["FORBIDDEN"]
    for field in (
        "retryNotifications(ids: [])",
        "discardNotifications(ids: [])",
        'sendTestNotification(email: "a@example.com")',
    ):
        data = await stranger(f"mutation {{ {field} {{ errors {{ code }} }} }}")
        assert data[field.partition("(")[0]]["errors"] == [{"code": "FORBIDDEN"}]
