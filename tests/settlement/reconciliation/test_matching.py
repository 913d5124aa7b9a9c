"""Two sides made of one truth, with differences planted: exactly those are found, and what is found explains the money."""

from __future__ import annotations

import io
from collections import Counter
from datetime import timedelta
from typing import Any

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from kameng_settlement.reconciliation.bills.formats import format_of, open_bill
from kameng_settlement.reconciliation.matching import compare
from tests.settlement.reconciliation.bills import DAY, MIDNIGHT, NOON, Traded, alipay_bill, wechat_bill

CARRY = timedelta(minutes=10)
OURS = {
    "ours": pl.String, "line": pl.Int64, "kind": pl.String, "number": pl.String, "reference": pl.String, "parent": pl.String,
    "status": pl.String, "currency": pl.String, "amount": pl.Int64, "fee": pl.Int64,
    "at": pl.Datetime("us", "UTC"), "posted": pl.String, "known": pl.Boolean, "near": pl.Boolean,
}  # fmt: skip
PLANTS = (
    "none",
    "missing_ours",
    "missing_theirs",
    "amount",
    "fee",
    "status",
    "duplicate",
    "late",
    "late_ours",
)

truths = st.lists(
    st.tuples(
        st.integers(1, 10_000_000),  # the amount
        st.integers(0, 500),  # the fee
        st.booleans(),  # whether it is a refund
        st.integers(0, 80_000),  # seconds from the day's beginning
        st.sampled_from(PLANTS),
    ),
    max_size=40,
)


def sides(
    truth: list[tuple[int, int, bool, int, str]],
) -> tuple[list[Traded], list[Traded], Counter[tuple[str, str]]]:
    """What we say, what they say, and what is to be found: difference and number."""
    ours, theirs, planted = [], [], Counter[tuple[str, str]]()
    for place, (amount, fee, refund, second, plant) in enumerate(truth):
        kind, parent = ("refund", f"P{place}") if refund else ("payment", "")
        at = MIDNIGHT - timedelta(days=1) + timedelta(seconds=second)
        if plant in ("late", "late_ours"):
            at = MIDNIGHT - timedelta(seconds=1 + second % 599)
        row = {"number": f"N{place}", "kind": kind, "parent": parent, "fee": fee, "at": at}
        if plant not in ("missing_ours", "late"):
            ours.append(Traded(**row, amount=amount, status="pending" if plant == "status" else "done"))
        if plant not in ("missing_theirs", "late_ours"):
            said = row | {"fee": fee + (plant == "fee")}
            theirs.append(Traded(**said, amount=amount + (plant == "amount")))
            if plant == "duplicate":
                theirs.append(Traded(**said, amount=amount, reference=f"again{place}"))
        if plant != "none":
            planted["carried" if plant.startswith("late") else plant, f"N{place}"] += 1
    return ours, theirs, planted


def frame_of_ours(rows: list[Traded]) -> pl.DataFrame:
    return pl.DataFrame(
        [
            {
                "ours": f"key-{row.number}", "line": 0, "kind": row.kind, "number": row.number, "reference": row.their_number,
                "parent": row.parent, "status": row.status, "currency": "CNY", "amount": row.amount, "fee": row.fee,
                "at": row.at, "posted": "", "known": False, "near": False,
            }
            for row in rows
        ],
        schema=OURS,
    )  # fmt: skip


def frame_of_theirs(content: bytes, form: str) -> pl.DataFrame:
    with open_bill(io.BytesIO(content), format_of(form), DAY) as bill:
        frames = list(bill.frames())
    empty = frame_of_ours([]).drop("ours", "posted", "known", "near")
    rows = pl.concat(frames) if frames else empty.select(sorted(empty.columns, key=list(OURS).index))
    return rows.with_row_index("row").with_columns(known=pl.lit(False))


def signed(rows: list[Traded], part: str) -> int:
    """What rows that are done come to: of amounts, or of fees."""
    done = [row for row in rows if row.status == "done"]
    if part == "fee":
        return -sum(row.fee for row in done)
    return sum(-row.amount if row.kind == "refund" else row.amount for row in done)


def told(frame: pl.DataFrame) -> list[dict[str, Any]]:
    return list(frame.iter_rows(named=True))


@settings(max_examples=150, deadline=None)
@given(truth=truths, form=st.sampled_from(["wechat-trade", "alipay-trade"]))
def test_exactly_what_was_planted_is_found(truth: list[tuple[int, int, bool, int, str]], form: str) -> None:
    ours, theirs, planted = sides(truth)
    content = wechat_bill(theirs) if form == "wechat-trade" else alipay_bill(theirs)
    compared = compare(frame_of_theirs(content, form), frame_of_ours(ours), day_ends=MIDNIGHT, carry=CARRY)
    found = Counter((row["difference"], row["number"]) for row in told(compared.differences))
    found += Counter(("carried", row["number"]) for row in told(compared.carried))
    # Then what is found is what was planted, no more and no less
    assert found == planted
    # and every other row of ours is matched, each once
    matched = compared.matched.get_column("ours").to_list()
    assert len(matched) == len(set(matched))
    clean = {f"key-N{place}" for place, (*_, plant) in enumerate(truth) if plant in ("none", "duplicate")}
    assert set(matched) == clean
    # and the differences are all that the two sides' sums differ by
    everything = told(compared.differences) + told(compared.carried)
    assert signed(theirs, "amount") - signed(ours, "amount") == sum(row["effect"] for row in everything)
    assert signed(theirs, "fee") - signed(ours, "fee") == sum(row["fee_effect"] for row in everything)


@settings(max_examples=60, deadline=None)
@given(truth=truths, seed=st.randoms(use_true_random=False))
def test_the_order_of_rows_means_nothing(truth: list[tuple[int, int, bool, int, str]], seed: Any) -> None:
    ours, theirs, _ = sides(truth)
    mixed_ours, mixed_theirs = seed.sample(ours, len(ours)), seed.sample(theirs, len(theirs))

    def outcome(ours: list[Traded], theirs: list[Traded]) -> Counter[tuple[Any, ...]]:
        compared = compare(
            frame_of_theirs(wechat_bill(theirs), "wechat-trade"),
            frame_of_ours(ours),
            day_ends=MIDNIGHT,
            carry=CARRY,
        )
        return Counter(
            (row["difference"], row["kind"], row["number"], row["effect"], row["fee_effect"])
            for row in told(compared.differences) + told(compared.carried)
        )

    assert outcome(ours, theirs) == outcome(mixed_ours, mixed_theirs)


def test_rows_without_our_number_are_found_by_the_gateways() -> None:
    # Given a report that tells only the gateway's own numbers
    theirs = frame_of_theirs(wechat_bill([Traded(number="A"), Traded(number="B")]), "wechat-trade")
    theirs = theirs.with_columns(number=pl.lit(""))
    compared = compare(theirs, frame_of_ours([Traded(number="A")]), day_ends=MIDNIGHT, carry=CARRY)
    assert compared.matched.get_column("ours").to_list() == ["key-A"]
    [case] = told(compared.differences)
    assert (case["difference"], case["number"], case["theirs"]["reference"]) == (
        "missing_ours",
        "~42B",
        "42B",
    )


def test_a_payment_and_a_refund_may_bear_the_same_number() -> None:
    rows = [Traded(number="X"), Traded(number="X", kind="refund", parent="X", amount=400, fee=0, at=NOON)]
    theirs = frame_of_theirs(wechat_bill(rows), "wechat-trade")
    ours = frame_of_ours(rows).with_columns(ours=pl.Series(["1", "2"]))
    compared = compare(theirs, ours, day_ends=MIDNIGHT, carry=CARRY)
    assert (compared.matched.height, compared.differences.height) == (2, 0)
