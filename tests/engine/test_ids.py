"""Ids: opaque outside, checked on the way in."""

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kameng.errors import InvalidInput
from kameng.ids import global_id, key_of, new_id, parse_global_id

names = st.from_regex(r"\A[A-Z][A-Za-z0-9]{0,20}\Z")


@given(names, st.uuids())
def test_a_global_id_leads_back(name, key):
    assert parse_global_id(global_id(name, key)) == (name, key)


@given(st.text(max_size=60))
def test_other_texts_are_refused_or_canonical(text):
    try:
        name, key = parse_global_id(text)
    except InvalidInput as refusal:
        assert refusal.code == "INVALID_INPUT"
    else:
        assert global_id(name, key) == text.rstrip("=")


def test_an_id_of_another_type_is_refused():
    with pytest.raises(InvalidInput, match="id of a Product, not of a Order"):
        key_of("Order", global_id("Product", new_id()))


def test_new_ids_are_version_7_and_grow():
    ids = [new_id() for _ in range(2000)]
    assert {key.version for key in ids} == {7}
    assert ids == sorted(ids)
    assert len(set(ids)) == 2000
    assert isinstance(ids[0], UUID)
