"""No token and no password stands in a log, a table, a repr or an error, whatever was done with it."""

import logging
from datetime import timedelta

import pytest
from structlog.testing import capture_logs

from kameng.auth import (
    PASSWORD_RESET,
    Credentials,
    PrincipalKind,
    hash_password,
    read_credentials,
    sign,
    verify_password,
)
from kameng.auth.passwords import check_password
from kameng.auth.tokens import digest
from kameng.errors import KamengError

MEMBER = PrincipalKind.MEMBER


async def everything(kernel):
    """All that auth has written: its tables, and the keys and values in Valkey."""
    tables = ("kernel_session", "kernel_api_token", "kernel_one_time_token")
    rows = [
        row[0]
        for table in tables
        # Both as text and as the bytes that a careless column would hold.
        for row in await kernel.db.fetch(f"select t::text from {table} t")
    ]
    async for key in kernel.valkey.scan_iter("kameng:*"):
        rows.append(key.decode("latin-1"))
        if await kernel.valkey.type(key) == b"string":
            rows.append((await kernel.valkey.get(key)).decode("latin-1"))
    return "\n".join(rows)


async def test_what_was_handed_out_is_found_nowhere(start, directory, caplog):
    caplog.set_level(logging.DEBUG)
    kernel = await start()
    ann = directory.add(MEMBER)
    told = []
    with capture_logs() as logs:
        # given one of each, used, refused and ended in every way
        old = await kernel.auth.sessions.open(MEMBER, ann)
        new = await kernel.auth.sessions.rotate(old.id)
        api = await kernel.auth.api_tokens.issue(
            MEMBER, ann, name="T", scopes=["*"], allowed_networks=["10.0.0.1"]
        )
        once = await kernel.auth.one_time.issue(PASSWORD_RESET, timedelta(hours=1), {"member": str(ann)})
        password = "seven quiet otters"
        hashed = await hash_password(password)
        secret = b"a secret for signing requests"
        told += [repr(thing) for thing in (old, new, api)]
        told += [
            repr(await kernel.auth.sessions.list(MEMBER, ann)),
            repr(await kernel.auth.api_tokens.list(MEMBER, ann)),
        ]
        told += [repr(await kernel.auth.sessions.find(new.token))]
        told += [repr(read_credentials({"authorization": f"Bearer {new.token}"}, kernel.auth.cookie("shop")))]
        for failing in (
            kernel.auth.principal(Credentials(bearer=old.token)),
            kernel.auth.principal(Credentials(bearer=api.text), "203.0.113.7"),
            kernel.auth.one_time.redeem("something else", once),
            kernel.auth.limiter.check("one_time_token", once, "1/day", cost=2),
        ):
            with pytest.raises(KamengError) as refused:
                await failing
            told.append(f"{refused.value!r} {refused.value}")
        with pytest.raises(KamengError) as refused:
            check_password(password, min_length=50)
        told.append(f"{refused.value!r} {refused.value}")
        signature = sign("kmk_1", secret, "POST", "/", b"")
        await kernel.auth.accept_signature(signature, secret, "POST", "/", b"")
        await verify_password(hashed, password)
        await kernel.auth.one_time.redeem(PASSWORD_RESET, once)
        await kernel.auth.end_everything(MEMBER, ann)

    # then none of it, nor a part that would do, was told or kept
    written = "\n".join([await everything(kernel), caplog.text, repr(logs), *told])
    for token in (old.token, new.token, api.text, once):
        assert digest(token).hex() in written, "the test looks where the hashes are"
        assert token not in written
        assert token[-30:] not in written
        assert token.encode().hex() not in written
    assert password not in written
    assert secret.decode() not in written


async def test_the_look_for_them_would_find_one(kernel):
    # given a token that somebody put into a column by mistake
    text = await kernel.auth.one_time.issue("leak", timedelta(hours=1), {})
    await kernel.db.execute(
        "update kernel_one_time_token set subject = to_jsonb($1::text) where token_hash = $2",
        text,
        digest(text),
    )
    assert text in await everything(kernel)
    await kernel.db.execute("delete from kernel_one_time_token where purpose = 'leak'")
