"""Equal secrets have equal indexes, within one domain and one deployment."""

import hashlib
import hmac

from hypothesis import given
from hypothesis import strategies as st

from kameng.vault.blind_index import BlindIndex

KEY = bytes(range(32))


def index(domain, plaintext, key=KEY):
    return BlindIndex(key, domain).of([plaintext])[0]


def test_the_index_is_hmac_sha256_under_a_key_of_the_domain_cut_to_16_bytes():
    own = hmac.new(KEY, b"kameng.vault.blind_index\0catalog.card", hashlib.sha256).digest()

    assert index("catalog.card", b"ABCD-1234") == hmac.new(own, b"ABCD-1234", hashlib.sha256).digest()[:16]
    assert index("catalog.card", b"ABCD-1234").hex() == "38c5f19888bb24cde307bb136be56e7c"


@given(st.lists(st.binary(max_size=80), max_size=30))
def test_equal_plaintexts_and_only_they_have_equal_indexes(plaintexts):
    indexes = BlindIndex(KEY, "catalog.card").of(plaintexts)

    assert [len(value) for value in indexes] == [16] * len(plaintexts)
    assert len(set(indexes)) == len(set(plaintexts))
    assert indexes == [index("catalog.card", plaintext) for plaintext in plaintexts]


@given(st.text(max_size=20), st.text(max_size=20), st.binary(max_size=40))
def test_domains_are_apart(one, other, plaintext):
    assert (index(one, plaintext) == index(other, plaintext)) == (one == other)


def test_where_domain_ends_and_plaintext_begins_matters():
    assert index("card", b"sA") != index("cards", b"A")


def test_deployments_are_apart():
    assert index("card", b"A") != index("card", b"A", key=bytes(32))
