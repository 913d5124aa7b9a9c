"""DataLoaders batch across siblings and levels, as often as under graphql-core and no oftener."""


async def test_one_batch_for_each_level(ask):
    result = await ask("{ cards { supplier { name rating } similar { id supplier { name } } } }")

    # The suppliers of the similar cards are one batch though they belong to three lists.
    assert result.extensions["log"] == [
        "suppliers 1,2,3",
        "similar 1,2,3",
        "ratings supplier of 1,supplier of 2,supplier of 3",
        "suppliers 10,11,20,21,30,31",
    ]


async def test_aliased_siblings_share_a_batch(ask):
    result = await ask(
        "{ a: cards(first: 2) { supplier { name } } b: cards(first: 3) { supplier { name } } }"
    )

    assert result.extensions["log"] == ["suppliers 1,2,3"]


async def test_branches_of_a_union_share_a_batch(ask):
    result = await ask(
        "{ items { ... on Card { supplier { name } } } node(id: 9) { ... on Card { supplier { name } } } }"
    )

    assert result.extensions["log"] == ["suppliers 1,9"]
