"""The vault on a real database: data keys, sealing and opening, limits, transactions, signatures."""

import asyncio
from uuid import UUID

import pytest

from kameng.db import counted_statements
from kameng.errors import KamengError
from kameng.ids import new_id
from kameng.kernel import Kernel
from kameng.vault import (
    MESSAGES_PER_KEY,
    DataKeyBrokenError,
    DataKeySpentError,
    DataKeyUnknownError,
    KeyRingForeignError,
    KeyRingMissingError,
    MasterKeyUnknownError,
    SealBrokenError,
    Signature,
    VaultError,
    create_key_ring,
)
from kameng.vault.key_ring import Purpose
from kameng.vault.ring_source import locate


async def rows(kernel):
    return await kernel.db.fetch("select * from kernel_data_key order by id")


async def test_a_sealed_value_is_opened_again_also_by_another_process(kernel, another_process):
    key = await kernel.vault.new_key("catalog.cards:1")
    card = new_id()
    sealed = key.seal(b"ABCD-1234", card.bytes)

    assert await kernel.vault.open(key.id, sealed, card.bytes) == b"ABCD-1234"
    other = await another_process()
    assert await other.vault.open(key.id, sealed, card.bytes) == b"ABCD-1234"


async def test_the_database_holds_neither_plaintext_nor_key(kernel):
    key = await kernel.vault.new_key("catalog.cards:1")
    sealed = key.seal(b"ABCD-1234", b"")
    (row,) = await rows(kernel)

    assert b"ABCD-1234" not in sealed
    assert (row["id"], row["scope"], row["master_version"], row["retired_at"]) == (
        key.id,
        "catalog.cards:1",
        1,
        None,
    )
    assert len(row["wrapped"]) == 61
    masters = await kernel.db.fetch(
        "select version, purpose, fingerprint from kernel_master_key order by version"
    )
    ring = kernel.vault.load_keys()
    assert [tuple(master) for master in masters] == [
        (key.version, key.purpose.value, key.fingerprint) for key in ring.keys
    ]
    stored = row["wrapped"] + b"".join(master["fingerprint"] for master in masters)
    assert not any(key.secret.reveal()[:8] in stored for key in ring.keys)


async def test_keys_do_not_show_themselves(kernel):
    key = await kernel.vault.new_key("catalog.cards:1")

    assert repr(key) == f"DataKey({key.id}, 'catalog.cards:1', remaining=1048576)"
    assert not hasattr(key, "__dict__")


async def test_another_place_another_key_and_no_key_are_told_apart(kernel):
    key, other = await kernel.vault.new_key("cards:1"), await kernel.vault.new_key("cards:2")
    sealed = key.seal(b"code", b"card 1")

    with pytest.raises(SealBrokenError):
        await kernel.vault.open(key.id, sealed, b"card 2")
    with pytest.raises(SealBrokenError):
        await kernel.vault.open(other.id, sealed, b"card 1")
    with pytest.raises(DataKeyUnknownError) as caught:
        await kernel.vault.open(UUID(int=7), sealed, b"card 1")
    assert caught.value.code == "VAULT_KEY_UNKNOWN"
    assert isinstance(caught.value, VaultError)
    assert isinstance(caught.value, KamengError)


@pytest.mark.parametrize(
    "change",
    ["wrapped = set_byte(wrapped, 30, get_byte(wrapped, 30) # 1)", "scope = 'catalog.cards:2'"],
    ids=["bytes", "scope"],
)
async def test_a_data_key_whose_row_was_altered_opens_nothing(kernel, another_process, change):
    key = await kernel.vault.new_key("catalog.cards:1")
    sealed = key.seal(b"code", b"")
    await kernel.db.execute(f"update kernel_data_key set {change}")

    other = await another_process()
    with pytest.raises(DataKeyBrokenError, match=str(key.id)):
        await other.vault.open(key.id, sealed, b"")


async def test_the_key_ring_of_another_deployment_is_recognised(kernel, another_process, tmp_path):
    key = await kernel.vault.new_key("cards:1")
    sealed = key.seal(b"code", b"")
    stranger = await another_process(data_dir=tmp_path)

    for use in (
        stranger.vault.open(key.id, sealed, b""),
        stranger.vault.new_key("cards:2"),
        stranger.vault.current_key("cards:2"),
        stranger.vault.check_keys(),
        stranger.vault.rotate_master(),
    ):
        with pytest.raises(KeyRingForeignError, match="is not the key that this database was used with"):
            await use
    assert len(await rows(kernel)) == 1


async def test_a_ring_that_lacks_the_master_key_opens_nothing_and_says_so(kernel, another_process, tmp_path):
    await kernel.vault.new_key("cards:1")
    old_ring = locate(kernel.settings).read()
    await kernel.vault.rotate_master()
    key = await kernel.vault.new_key("cards:2")
    sealed = key.seal(b"code", b"")

    create_key_ring(tmp_path / "vault.keys")
    behind = await another_process(data_dir=tmp_path)
    locate(behind.settings).replace(old_ring)

    with pytest.raises(MasterKeyUnknownError, match="no wrapping key of version 4") as caught:
        await behind.vault.open(key.id, sealed, b"")
    assert "Copy the current key ring to this machine" in caught.value.cure
    with pytest.raises(MasterKeyUnknownError):
        await behind.vault.new_key("cards:3")


async def test_production_does_not_start_without_keys(another_process, tmp_path):
    process = await another_process(data_dir=tmp_path, environment="production")

    with pytest.raises(KeyRingMissingError, match="There are no master keys"):
        process.vault.load_keys()
    create_key_ring(tmp_path / "vault.keys")
    assert len(process.vault.load_keys().keys) == 3


async def test_a_kernel_without_its_keys_does_not_open(kernel, tmp_path):
    values = {"data_dir": str(tmp_path), "environment": "production"}

    with pytest.raises(KeyRingMissingError, match=str(tmp_path)):
        await Kernel(kernel.settings.with_values("kameng", **values), ()).__aenter__()


async def test_two_processes_that_begin_at_once_on_an_empty_database_agree(kernel, another_process):
    processes = [kernel, await another_process(), await another_process()]

    keys = await asyncio.gather(*(process.vault.new_key("cards") for process in processes))

    assert [
        row["version"] for row in await kernel.db.fetch("select version from kernel_master_key order by 1")
    ] == [1, 2, 3]
    for key, process in zip(keys, reversed(processes), strict=True):
        assert await process.vault.open(key.id, key.seal(b"x", b""), b"") == b"x"


async def test_a_key_goes_with_the_transaction_that_made_it(kernel):
    async def undone():
        async with kernel.db.transaction():
            key = await kernel.vault.new_key("cards:1")
            sealed = key.seal(b"code", b"")
            assert await kernel.vault.open(key.id, sealed, b"") == b"code"
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await undone()

    assert await rows(kernel) == []
    later = await kernel.vault.new_key("cards:2")  # the registration of the master keys was undone too
    assert later.id in {row["id"] for row in await rows(kernel)}


async def test_opening_many_asks_once_and_known_keys_not_at_all(kernel, another_process):
    keys = [await kernel.vault.new_key(f"cards:{number}") for number in range(5)]
    items = [(key.id, key.seal(b"%d" % number, b""), b"") for number, key in enumerate(keys * 4)]
    other = await another_process()
    await other.vault.check_keys()

    with counted_statements() as first:
        assert await other.vault.open_many(items) == [b"%d" % number for number in range(20)]
    with counted_statements() as second:
        await other.vault.open_many(items)

    assert [statement.split("\n")[0] for statement in first] == ["-- vault.keys"]
    assert second == []


async def test_opening_nothing_asks_nothing(kernel):
    with counted_statements() as statements:
        assert await kernel.vault.open_many([]) == []
    assert statements == []


# -- bulk ---------------------------------------------------------------------------------------------------


async def test_many_values_are_sealed_and_opened_in_order_while_others_have_their_turn(kernel):
    key = await kernel.vault.new_key("cards:1")
    items = [(b"code %d" % number, number.to_bytes(8, "big")) for number in range(20_000)]
    turns = 0

    async def someone_else():
        nonlocal turns
        while True:
            await asyncio.sleep(0)
            turns += 1

    other = asyncio.create_task(someone_else())
    sealed = await kernel.vault.seal_many(key, items)
    opened = await kernel.vault.open_many(
        [(key.id, value, aad) for value, (_, aad) in zip(sealed, items, strict=True)]
    )
    indexes = await kernel.vault.blind_index_many("catalog.card", [plaintext for plaintext, _ in items])
    other.cancel()

    assert opened == [plaintext for plaintext, _ in items]
    assert len(set(sealed)) == len(set(indexes)) == 20_000
    assert indexes[12_345] == kernel.vault.blind_index("catalog.card", b"code 12345")
    assert turns >= 30  # at least one between two chunks
    assert key.remaining == MESSAGES_PER_KEY - 20_000


async def test_one_broken_value_among_many_opens_none_and_is_named(kernel):
    key = await kernel.vault.new_key("cards:1")
    items = [(key.id, value, b"") for value in await kernel.vault.seal_many(key, [(b"code", b"")] * 5000)]
    items[4321] = (key.id, items[4321][1], b"elsewhere")

    with pytest.raises(SealBrokenError, match="value 4321") as caught:
        await kernel.vault.open_many(items)
    assert caught.value.index == 4321


async def test_the_blind_index_is_of_the_deployment_and_not_of_the_process(kernel, another_process, tmp_path):
    index = kernel.vault.blind_index("catalog.card", b"ABCD-1234")
    same, stranger = await another_process(), await another_process(data_dir=tmp_path)

    assert len(index) == 16
    assert same.vault.blind_index("catalog.card", b"ABCD-1234") == index
    assert same.vault.blind_index("membership.phone", b"ABCD-1234") != index
    assert stranger.vault.blind_index("catalog.card", b"ABCD-1234") != index


async def test_rotating_the_master_key_leaves_the_blind_index_alone(kernel):
    index = kernel.vault.blind_index("catalog.card", b"ABCD-1234")
    await kernel.vault.rotate_master()

    assert kernel.vault.blind_index("catalog.card", b"ABCD-1234") == index


# -- the limit of a key -------------------------------------------------------------------------------------


async def test_a_key_seals_as_many_messages_as_it_may_and_no_more(kernel):
    key = (await kernel.vault.new_key("cards:1")).portion(3)
    key.seal(b"1", b"")
    key.seal(b"2", b"")

    with pytest.raises(DataKeySpentError, match="1 more messages, not 2") as caught:
        await kernel.vault.seal_many(key, [(b"3", b""), (b"4", b"")])
    assert caught.value.code == "VAULT_KEY_SPENT"
    assert key.remaining == 1
    key.seal(b"3", b"")
    with pytest.raises(DataKeySpentError):
        key.seal(b"4", b"")


async def test_a_scope_is_served_by_one_key_until_it_is_spent_and_then_by_the_next(kernel):
    first = await kernel.vault.current_key("staff.totp")
    sealed = first.seal(b"seed", b"staff 1")
    again = await kernel.vault.current_key("staff.totp", messages=2000)
    await kernel.db.execute("update kernel_data_key set allowed = $1", MESSAGES_PER_KEY - 10)
    next_one = await kernel.vault.current_key("staff.totp", messages=MESSAGES_PER_KEY)

    assert first.id == again.id != next_one.id
    assert (first.remaining, again.remaining, next_one.remaining) == (0, 2000, MESSAGES_PER_KEY)
    old, new = await rows(kernel)
    assert (old["id"], new["id"]) == (first.id, next_one.id)
    assert old["retired_at"] is not None
    assert (new["retired_at"], new["allowed"]) == (None, MESSAGES_PER_KEY)
    assert await kernel.vault.open(first.id, sealed, b"staff 1") == b"seed"


async def test_more_messages_than_any_key_may_seal_are_refused(kernel):
    with pytest.raises(DataKeySpentError, match="1048576 messages at most"):
        await kernel.vault.current_key("staff.totp", messages=MESSAGES_PER_KEY + 1)
    assert await rows(kernel) == []


async def test_single_values_reserve_their_messages_in_blocks(kernel):
    await kernel.vault.current_key("staff.totp")

    with counted_statements() as statements:
        keys = {(await kernel.vault.current_key("staff.totp")).id for _ in range(1023)}
    assert len(keys) == 1
    assert statements == []

    await kernel.vault.current_key("staff.totp")
    assert [row["allowed"] for row in await rows(kernel)] == [2048]


async def test_processes_share_a_scopes_key_without_sharing_messages(kernel, another_process):
    other = await another_process()
    one = await kernel.vault.current_key("staff.totp")
    two = await other.vault.current_key("staff.totp")

    assert one.id == two.id
    assert [row["allowed"] for row in await rows(kernel)] == [2048]


async def test_a_key_that_was_rolled_back_serves_nobody_later(kernel):
    seen = []

    async def undone():
        async with kernel.db.transaction():
            seen.append(await kernel.vault.current_key("staff.totp"))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await undone()
    key = await kernel.vault.current_key("staff.totp")

    assert key.id != seen[0].id
    assert [row["id"] for row in await rows(kernel)] == [key.id]


async def test_a_retired_key_opens_but_seals_no_more(kernel):
    first = await kernel.vault.current_key("staff.totp")
    sealed = first.seal(b"seed", b"")
    await kernel.vault.retire("staff.totp")

    assert (await kernel.vault.current_key("staff.totp")).id != first.id
    assert await kernel.vault.open(first.id, sealed, b"") == b"seed"


async def test_what_was_shredded_is_gone_and_the_rest_is_not(kernel, another_process):
    one, two = await kernel.vault.current_key("member:1"), await kernel.vault.current_key("member:2")
    sealed = [(one.id, one.seal(b"one", b""), b""), (two.id, two.seal(b"two", b""), b"")]
    assert await kernel.vault.open_many(sealed) == [b"one", b"two"]

    assert await kernel.vault.shred("member:1") == 1

    for vault in (kernel.vault, (await another_process()).vault):
        with pytest.raises(DataKeyUnknownError, match="no data key"):
            await vault.open(*sealed[0])
        assert await vault.open(*sealed[1]) == b"two"
    assert (await kernel.vault.current_key("member:1")).id != one.id


async def test_after_shredding_the_same_transaction_seals_by_a_new_key(kernel):
    first = await kernel.vault.current_key("member:1")
    async with kernel.db.transaction():
        await kernel.vault.shred("member:1")
        second = await kernel.vault.current_key("member:1")
        sealed = second.seal(b"two", b"")

    assert second.id != first.id
    assert await kernel.vault.open(second.id, sealed, b"") == b"two"


async def test_what_others_open_while_it_is_being_shredded_is_forgotten_with_it(kernel):
    key = await kernel.vault.current_key("member:1")
    sealed = (key.id, key.seal(b"one", b""), b"")
    deleted, opened = asyncio.Event(), asyncio.Event()

    async def shred():
        async with kernel.db.transaction():
            await kernel.vault.shred("member:1")
            deleted.set()
            await opened.wait()

    async def look():
        await deleted.wait()
        assert await kernel.vault.open(*sealed) == b"one"
        opened.set()

    await asyncio.gather(shred(), look())
    with pytest.raises(DataKeyUnknownError):
        await kernel.vault.open(*sealed)


async def test_unwrapped_keys_are_kept_in_bounds_and_for_a_while(kernel, monkeypatch):
    monkeypatch.setattr("kameng.vault.data_keys.CACHED_KEYS", 2)
    keys = [await kernel.vault.new_key(f"cards:{number}") for number in range(3)]
    sealed = [(key.id, key.seal(b"x", b""), b"") for key in keys]

    async def asked(item):
        with counted_statements() as statements:
            await kernel.vault.open(*item)
        return len(statements)

    assert [await asked(item) for item in sealed] == [1, 1, 1]
    assert [await asked(item) for item in (sealed[1], sealed[2], sealed[0])] == [0, 0, 1]

    monkeypatch.setattr("kameng.vault.data_keys.CACHED_SECONDS", -1.0)
    fresh = await kernel.vault.new_key("cards:9")
    item = (fresh.id, fresh.seal(b"x", b""), b"")
    assert [await asked(item), await asked(item)] == [1, 1]


# -- signatures ---------------------------------------------------------------------------------------------


async def test_a_signature_holds_for_its_message_domain_and_deployment(kernel, another_process, tmp_path):
    signature = kernel.vault.sign("audit.head", b"message")
    stranger = await another_process(data_dir=tmp_path)

    assert kernel.vault.is_signed("audit.head", b"message", signature)
    assert not kernel.vault.is_signed("audit.head", b"massage", signature)
    assert not kernel.vault.is_signed("audit.tail", b"message", signature)
    assert not kernel.vault.is_signed("audit.head", b"message", Signature(signature.version, bytes(32)))
    assert not stranger.vault.is_signed("audit.head", b"message", signature)
    assert (signature.version, len(signature.mac)) == (3, 32)


async def test_a_signature_outlives_a_newer_signing_key(kernel):
    signature = kernel.vault.sign("audit.head", b"message")
    source = locate(kernel.settings)
    source.replace(source.read().with_new(Purpose.SIGNING))
    with pytest.raises(MasterKeyUnknownError, match="no signing key of version 9"):
        kernel.vault.is_signed("audit.head", b"message", Signature(9, signature.mac))

    assert kernel.vault.sign("audit.head", b"message").version == 4
    assert kernel.vault.is_signed("audit.head", b"message", signature)
