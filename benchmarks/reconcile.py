"""A bill of WeChat Pay held against our own records, with seven kinds of planted differences, beside a bare polars join.

``reconcile/time``: seconds from two files on disk to every difference classified with both its sides: the bill read by its
format, each amount and time checked, its control totals verified; our side as the database gives it. The reference reads
the same columns of the same two files as texts and does one full join on our number, and nothing else.
``reconcile/memory``: the most resident memory of the process that does it, beside the 1,500 MB that it may take.

The kinds: missing with us, missing with them, another amount, another fee, another status, listed twice, and so late that the
other side may stand in the next day's bill. The notes say how many of each were planted and rightly found.
"""

import asyncio
import json
import resource
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from benchmarks.figures import Figure, median, say

LIMIT = 1500.0
"""MB that a comparison may take."""

DAY = date(2026, 11, 20)
STARTS = datetime(2026, 11, 19, 16, tzinfo=UTC)
ENDS = STARTS + timedelta(days=1)
CARRY = timedelta(minutes=10)
KINDS = ("missing_ours", "missing_theirs", "amount", "fee", "status", "duplicate", "late")

HEADER = (
    "交易时间,公众账号ID,商户号,特约商户号,设备号,微信订单号,商户订单号,用户标识,交易类型,交易状态,付款银行,货币种类,"
    "应结订单金额,代金券金额,微信退款单号,商户退款单号,退款金额,充值券退款金额,退款类型,退款状态,商品名称,商户数据包,"
    "手续费,费率,订单金额,申请退款金额,费率备注"
)
NEEDED = ("交易时间", "微信订单号", "商户订单号", "交易状态", "货币种类", "微信退款单号", "商户退款单号", "退款状态", "手续费", "订单金额", "申请退款金额")  # fmt: skip
FOOTER = "总交易单数,应结订单总金额,退款总金额,充值券退款总金额,手续费总金额,订单总金额,申请退款总金额"


@dataclass(frozen=True)
class Size:
    """How much a run measures.

    Attributes:
        rows: of each side.
        planted: of each kind of difference.
        rounds: how often.
    """

    rows: int
    planted: int
    rounds: int


SIZES = {
    "small": Size(rows=50_000, planted=50, rounds=3),
    "full": Size(rows=1_000_000, planted=1_000, rounds=5),
}


async def measure(size: str) -> list[Figure]:
    """Both figures, with the bare join after each of our runs."""
    wanted = SIZES[size]
    ours, theirs, memory, found = [], [], [], Counter[str]()
    with tempfile.TemporaryDirectory(prefix="kameng-bench-reconcile-") as folder:
        planted = write_sides(Path(folder), wanted)
        for number in range(wanted.rounds):
            told = await _child("ours", folder)
            found = Counter(told["found"])
            if found != Counter(planted):
                raise RuntimeError(f"planted {planted}, found {dict(found)}")
            if told["wrong"]:
                raise RuntimeError(f"not as planted: {told['wrong'][:5]}")
            ours.append(told["seconds"])
            memory.append(told["megabytes"])
            theirs.append((await _child("reference", folder))["seconds"])
            say(f"round {number + 1}: ours {ours[-1]:.2f} s, {memory[-1]:.0f} MB; join {theirs[-1]:.2f} s")
    notes = "planted and rightly classified: " + ", ".join(f"{kind} {found[kind]:,}" for kind in KINDS)
    return [
        Figure(
            name="reconcile/time",
            ours=median(ours),
            reference=median(theirs),
            reference_is=f"polars reads the same columns of both files ({wanted.rows:,} rows each) and joins them",
            unit="s",
            better="lower",
            notes=notes,
        ),
        Figure(
            name="reconcile/memory",
            ours=median(memory),
            reference=LIMIT,
            reference_is="what it may take",
            unit="MB",
            better="lower",
        ),
    ]


def write_sides(folder: Path, size: Size) -> dict[str, int]:
    """Two files that agree but for what is planted, and a list of that; each tenth row is a refund."""
    step = size.rows // (len(KINDS) * size.planted)
    planted: dict[str, str] = {}
    count = paid = back = fees = 0
    with (
        (folder / "bill.csv").open("w", encoding="utf-8", newline="") as bill,
        (folder / "ours.csv").open("w", encoding="utf-8", newline="") as ours,
    ):
        bill.write("\ufeff" + HEADER + "\r\n")
        for row in range(size.rows):
            kind = KINDS[row // step % len(KINDS)] if row % step == step - 1 else ""
            if kind and Counter(planted.values())[kind] >= size.planted:
                kind = ""
            # What is to be late is not early, and the other way round.
            at = STARTS + timedelta(seconds=row % 80_000)
            if kind == "late":
                at = ENDS - timedelta(seconds=30)
            refund = row % 10 == 9 and not kind
            amount = 100 + row % 50_000
            fee = 0 if refund else (amount * 6 + 500) // 1000
            number = f"{'R' if refund else 'P'}{row * 2654435761 % 2**80:025X}"
            if kind:
                planted[number] = kind
            if kind != "missing_theirs":
                listed = amount + (kind == "amount")
                charged = fee + (kind == "fee")
                for copy in range(1 + (kind == "duplicate")):
                    bill.write(_bill_row(number, row, copy, at, listed, charged, refund=refund))
                    count, fees = count + 1, fees + charged
                    paid, back = (paid, back + listed) if refund else (paid + listed, back)
            if kind not in ("missing_ours", "late"):
                status = "pending" if kind == "status" else "done"
                ours.write(_our_row(number, row, at, amount, fee, status, refund=refund))
        totals = (
            f"`{count},`{_yuan(paid)},`{_yuan(back)},`0.00,`{_yuan(fees)}000,`{_yuan(paid)},`{_yuan(back)}"
        )
        bill.write(f"{FOOTER}\r\n{totals}\r\n")
    (folder / "planted.json").write_text(json.dumps(planted))
    return dict(Counter(planted.values()))


def _bill_row(number: str, row: int, copy: int, at: datetime, amount: int, fee: int, *, refund: bool) -> str:
    local = (at + timedelta(hours=8)).strftime("%Y-%m-%d %H:%M:%S")
    paid, back = ("0.00", _yuan(amount)) if refund else (_yuan(amount), "0.00")
    order = f"P{number[1:]}" if refund else number
    return (
        f"`{local},`wx8888888888888888,`1900000109,`0,`,`42{row:024d}{copy},`{order},`oUpF8uMuAJO_M2pxb1Q9zNjWeS6o,`NATIVE,"
        f"`{'REFUND' if refund else 'SUCCESS'},`OTHERS,`CNY,`{paid},`0.00,`{f'50{row:024d}' if refund else '0'},"
        f"`{number if refund else '0'},`{back},`0.00,`{'ORIGINAL' if refund else ''},`{'SUCCESS' if refund else ''},"
        f"`游戏充值卡 {amount % 500} 元,`,`{_yuan(fee)}000,`0.60%,`{paid},`{back},`\r\n"
    )


def _our_row(number: str, row: int, at: datetime, amount: int, fee: int, status: str, *, refund: bool) -> str:
    moment = at.strftime("%Y-%m-%d %H:%M:%S.250000+00")
    kind, kept, parent = ("refund", "", f"P{number[1:]}") if refund else ("payment", str(fee), "")
    return (
        f'"01979f00-0000-7000-8000-{row:012x}",0,"{kind}","{number}","{50 if refund else 42}{row:024d}","{parent}","{status}",'
        f'"CNY",{amount},{kept},{moment},"01979f00-0000-7000-9000-{row:012x}"\n'
    )


def _yuan(fen: int) -> str:
    return f"{fen // 100}.{fen % 100:02d}"


async def _child(what: str, folder: str) -> dict:
    """Do it in a process of its own; what it told."""
    command = [sys.executable, "-m", "benchmarks.reconcile", what, folder]
    child = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
    output, _ = await child.communicate()
    if child.returncode:
        raise RuntimeError(f"{what} ended with {child.returncode}")
    return json.loads(output.splitlines()[-1])


def _ours(folder: Path) -> dict:
    import polars as pl

    from kameng_settlement.reconciliation.bills.formats import format_of, open_bill
    from kameng_settlement.reconciliation.matching import compare
    from kameng_settlement.reconciliation.sides import OUR_COLUMNS, frame_of

    began = time.perf_counter()
    with (folder / "bill.csv").open("rb") as file, open_bill(file, format_of("wechat-trade"), DAY) as bill:
        theirs = pl.concat(bill.frames()).with_row_index("row").with_columns(known=pl.lit(False))
    with (folder / "ours.csv").open("rb") as file:
        ours = frame_of(file, OUR_COLUMNS).with_columns(known=pl.lit(False), near=pl.lit(False))
    compared = compare(theirs, ours, day_ends=ENDS, carry=CARRY)
    seconds = time.perf_counter() - began
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    planted = json.loads((folder / "planted.json").read_text())
    found = dict(compared.differences.select("number", "difference").iter_rows())
    found |= dict.fromkeys(compared.carried.get_column("number"), "late")
    return {
        "seconds": seconds,
        "megabytes": peak,
        "found": Counter(found.values()),
        "wrong": sorted(found.items() ^ planted.items()),
    }


def _reference(folder: Path) -> dict:
    import polars as pl

    began = time.perf_counter()
    theirs = pl.read_csv(
        folder / "bill.csv",
        columns=list(NEEDED),
        infer_schema=False,
        quote_char=None,
        truncate_ragged_lines=True,
    ).with_columns(number=pl.col("商户订单号").str.strip_prefix("`"))
    names = [f"c{place}" for place in range(12)]
    ours = pl.read_csv(
        folder / "ours.csv", has_header=False, schema=dict.fromkeys(names, pl.String), infer_schema=False
    )
    joined = theirs.join(ours, left_on="number", right_on="c3", how="full")
    seconds = time.perf_counter() - began
    return {"seconds": seconds, "rows": joined.height}


if __name__ == "__main__":
    done = {"ours": _ours, "reference": _reference}[sys.argv[1]](Path(sys.argv[2]))
    print(json.dumps(done))
