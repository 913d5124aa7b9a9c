"""Memory, time and size stay bounded, whatever documents arrive."""

import gc
import os

import pytest

from kameng.graphql.compiled import CompiledSchema, CompileLimits, Invalid, Prepared
from kameng.graphql.compiled.cache import ByteCache
from kameng.graphql.compiled.emit import Emitter
from tests.engine.graphql.compiled import shop

DOCUMENTS = 100_000 if "KAMENG_PROPERTY_EXAMPLES" in os.environ else 1_000
MEGABYTE = 2**20


async def test_documents_that_come_once_do_not_grow_memory():
    # given room for two megabytes, and documents of which no two are alike
    compiled = CompiledSchema(shop.schema, cache_bytes=2 * MEGABYTE)

    async def execute(number: int) -> None:
        prepared = compiled.prepare(f"{{ cards(first: 1) {{ a{number:06}: id name }} }}")
        assert (await prepared.execute()).data == {"cards": [{f"a{number:06}": "1", "name": "card 1"}]}

    # when the room is full, and has been replaced many times over
    for number in range(300):
        await execute(number)
    kept = compiled.cached_documents
    gc.collect()
    before = len(gc.get_objects())
    for number in range(300, 300 + DOCUMENTS):
        await execute(number)
    gc.collect()
    after = len(gc.get_objects())

    # then as many documents are kept as before, and as many objects live
    assert kept < 250
    assert compiled.cached_documents == kept
    assert compiled.cached_bytes <= 2 * MEGABYTE
    assert after - before < 0.02 * before


async def test_invalid_documents_do_not_grow_memory_nor_push_out_valid_ones():
    compiled = CompiledSchema(shop.schema, cache_bytes=2 * MEGABYTE)
    valid = compiled.prepare("{ cards { id } }")
    for number in range(500):
        assert isinstance(compiled.prepare(f"{{ nothing{number} }}"), Invalid)
        assert isinstance(compiled.prepare(f"{{ broken{number} "), Invalid)

    assert compiled.cached_bytes <= 2 * MEGABYTE + MEGABYTE // 4
    assert compiled.prepare("{ cards { id } }") is valid


async def test_an_operation_name_out_of_thin_air_is_not_kept():
    compiled = CompiledSchema(shop.schema)
    source = "query A { __typename }"
    compiled.prepare(source, "A")
    before = compiled.cached_bytes
    for number in range(100):
        assert isinstance(compiled.prepare(source, f"B{number}"), Invalid)

    assert (compiled.cached_bytes, compiled.cached_documents) == (before, 1)


async def test_a_document_is_prepared_once():
    compiled = CompiledSchema(shop.schema)
    source = "query A { cards { id } } query B { cards { name } }"

    assert compiled.prepare(source, "A") is compiled.prepare(source, "A")
    assert compiled.prepare(source, "A") is not compiled.prepare(source, "B")
    assert compiled.cached_documents == 1


async def test_code_that_is_compiled_counts():
    compiled = CompiledSchema(shop.schema)
    prepared = compiled.prepare("{ items { ... on Card { id name } } }")
    prepared_bytes = compiled.cached_bytes
    await prepared.execute()

    assert compiled.cached_bytes > prepared_bytes + 1_000


async def test_what_is_found_out_about_an_operation_counts():
    compiled = CompiledSchema(shop.schema)
    prepared = compiled.prepare("{ cards { id } }")
    before = compiled.cached_bytes
    prepared.keep_profile(profile := object(), 700)

    assert prepared.profile is profile
    assert compiled.cached_bytes == before + 700


def fan_out(levels: int, twist: str = "") -> str:
    """A document whose fields double with each level of fragments."""
    fragments = [
        f"fragment F{level} on Card {{ a{level}: similar {{ ...F{level + 1} {twist} }} b{level}: similar {{ ...F{level + 1} }} }}"
        for level in range(levels)
    ]
    return "\n".join(["{ cards(first: 0) { ...F0 } }", *fragments, f"fragment F{levels} on Card {{ id }}"])


async def test_equal_selections_are_compiled_once_however_often_they_are_named(monkeypatch):
    # given 2^12 places that all select the same
    functions = []
    build = Emitter._object
    monkeypatch.setattr(
        Emitter, "_object", lambda self, plan: functions.append(id(plan)) or build(self, plan)
    )
    compiled = CompiledSchema(shop.schema)
    prepared = compiled.prepare(fan_out(12))
    assert isinstance(prepared, Prepared)
    result = await prepared.execute()

    assert (result.data, prepared.fallback_reason) == ({"cards": []}, None)
    assert len(set(functions)) == 14


async def test_a_fan_out_that_cannot_be_folded_is_left_to_graphql_core():
    # given 2^8 places, no two of them from the same part of the document
    levels = 8
    nested = "id"
    for level in reversed(range(levels)):
        nested = f"x: similar {{ l{level}: id {nested} }} y: similar {{ r{level}: id {nested} }}"
    compiled = CompiledSchema(shop.schema, limits=CompileLimits(fields=500))
    prepared = compiled.prepare(f"{{ cards(first: 0) {{ {nested} }} }}")
    assert isinstance(prepared, Prepared)

    assert (await prepared.execute()).data == {"cards": []}
    assert prepared.fallback_reason == "size"


async def test_combinations_of_conditions_are_bounded():
    compiled = CompiledSchema(shop.schema, limits=CompileLimits(variants=4))
    names = [f"c{number}" for number in range(5)]
    source = (
        "query ("
        + ", ".join(f"${name}: Boolean!" for name in names)
        + ") { cards(first: 1) { __typename "
        + " ".join(f"{name}: id @include(if: ${name})" for name in names)
        + " } }"
    )
    prepared = compiled.prepare(source)
    for combination in range(32):
        variables = {name: bool(combination >> number & 1) for number, name in enumerate(names)}
        result = await prepared.execute(variables)
        assert list(result.data["cards"][0]) == ["__typename", *(name for name in names if variables[name])]

    assert len(prepared._variants) == 4


def test_a_flood_of_new_values_leaves_those_in_use():
    cache: ByteCache[str] = ByteCache(1_000)
    cache.put("used", "value", 100)
    assert cache.get("used") == "value"
    for number in range(1_000):
        cache.put(f"new {number}", "value", 100)

    assert cache.get("used") == "value"
    assert cache.get("new 0") is None
    assert cache.size <= 1_000


@pytest.mark.parametrize("size", [126, 10_000])
def test_a_value_that_would_take_too_much_of_the_room_is_not_kept(size):
    cache: ByteCache[str] = ByteCache(1_000)
    cache.put("large", "value", size)

    assert (cache.get("large"), cache.size) == (None, 0)


def test_a_value_that_grows_beyond_its_share_is_given_up():
    cache: ByteCache[object] = ByteCache(1_000)
    values = {key: object() for key in "abcdefgh"}
    for key, value in values.items():
        cache.put(key, value, 100)
        cache.get(key)
    cache.grow("h", values["h"], 25)
    cache.grow("g", values["g"], 26)
    cache.grow("f", object(), 1_000)  # what was kept under this key before

    assert (cache.get("g"), cache.get("h"), cache.get("f")) == (None, values["h"], values["f"])
    assert cache.size == 725
    cache.remove("h")
    assert (len(cache), cache.size) == (6, 600)
