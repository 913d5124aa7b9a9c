"""What is wrong with a file, in the language of whoever imports it.

The reasons are written in English where they are found; here stands what each of them is in Chinese, by its form. One that is
not here stays English, so that nothing is hidden; a test keeps the two in step.
"""

from __future__ import annotations

import re
from functools import lru_cache

_FORMS: tuple[tuple[str, str], ...] = (
    (r"is missing", "缺少内容"),
    (r"is missing, while (\w+) is given", r"缺少内容，而 \1 已填写"),
    (r"is too long: (\d+) characters, at most (\d+)", r"太长：\1 个字符，最多 \2 个"),
    (r"holds the control character (U\+\w+)", r"含有控制字符 \1"),
    (r"holds the invisible character (U\+\w+)", r"含有看不见的字符 \1"),
    (r"(`.*`) holds an illegal character: (.*)", r"\1 含有不允许的字符：\2"),
    (r"(`.*`) does not begin with a letter or digit", r"\1 没有以字母或数字开头"),
    (
        r"(`.*`) is no slug: small letters and digits, parted by single dashes",
        r"\1 不是网址名：只用小写字母和数字，以单个短横线分隔",
    ),
    (r"(`.*`) is no path of slugs such as `game/pc`", r"\1 不是分类路径，例如 `game/pc`"),
    (r"(`.*`) is not a number", r"\1 不是数字"),
    (r"(`.*`) is not a number; write (.*)", r"\1 不是数字，请写 \2"),
    (r"(`.*`) is negative", r"\1 是负数"),
    (r"(`.*`) has more than (\d+) decimals", r"\1 的小数超过 \2 位"),
    (r"(`.*`) has more than (\d+) decimals for (\w+)", r"\1 的小数超过 \2 位（\3）"),
    (r"(`.*`) is too large", r"\1 太大"),
    (r"(`.*`) is no currency of ISO 4217", r"\1 不是 ISO 4217 货币代码"),
    (r"(`.*`) is no currency of ISO 4217; write (\w+)", r"\1 不是 ISO 4217 货币代码，请写 \2"),
    (r"(`.*`) is no quantity from 1 to (\d+)", r"\1 不是 1 到 \2 的数量"),
    (r"(`.*`) is no kind of stock; write one of (.*)", r"\1 不是库存类型，可用：\2"),
    (r"(`.*`) is no status; write one of (.*)", r"\1 不是状态，可用：\2"),
    (r"(`.*`) is no code in small letters", r"\1 不是小写代码"),
    (r"(`.*`) is no moment; write it like (\S+)", r"\1 不是时刻，请写成 \2"),
    (r"is no form: (.*)", r"不是表单：\1"),
    (r"is not after starts_at", "不晚于 starts_at"),
    (r"has (\d+) tags, at most (\d+)", r"有 \1 个标签，最多 \2 个"),
    (r"(`.*`) is no date; write YYYY-MM-DD", r"\1 不是日期，请写 YYYY-MM-DD"),
    (r"(`.*`): there is no such day", r"\1：没有这一天"),
    (r"(`.*`) has passed", r"\1 已经过期"),
    (r"(\d+) columns instead of (\d+)", r"有 \1 列，应为 \2 列"),
    (r"has (\d+) names for a path of (\d+)", r"有 \1 个名称，而路径有 \2 级"),
    (r"(\d+) is less than min_quantity (\d+)", r"\1 小于 min_quantity \2"),
    (r"(`.*`) stands in line (\d+) already", r"\1 在第 \2 行已经出现"),
    (r"is not what line (\d+) says of the same product", r"与第 \1 行对同一商品的说法不一致"),
    (r"is not what line (\d+) says of the same category", r"与第 \1 行对同一分类的说法不一致"),
    (r"(`.*`) belongs to (`.*`) already", r"\1 已经属于 \2"),
    (r"is (`.*`) already, which no file can change", r"已经是 \1，文件不能更改"),
    (r"is lower than what one costs, which the variant does not allow", "低于成本，而该规格不允许"),
    (r"(\S+) (\w{3}) is less than one costs, (\S+)\.", r"\1 \2 低于成本 \3"),
    (r"there is no variant (`.*`)", r"没有规格 \1"),
    (r"(`.*`) takes no cards: its kind of stock is (`.*`)", r"\1 不能导入卡密：它的库存类型是 \2"),
    (r"is (`.*`), not (`.*`)", r"是 \1，不是 \2"),
    (r"the card of line (\d+) again", r"与第 \1 行的卡密重复"),
    (r"is the price of line (\d+) again", r"与第 \1 行的价格重复"),
    (r"the card is in stock since (\S+ \S+) UTC already", r"该卡密自 \1（UTC）起已在库中"),
    (
        r"is a number cell with more than (\d+) digits, of which the spreadsheet has lost some; .*",
        r"是超过 \1 位的数字单元格，表格软件已丢失部分数字；请设为文本格式后重新输入",
    ),
    (r"is no CSV: (.*)", r"不是 CSV：\1"),
    (r"restored", "已恢复"),
    (r"changed since: (.*)", r"之后又被更改：\1"),
    (r"is in use, so it was archived", "已被使用，因此改为归档"),
    (r"is gone", "已不存在"),
    (r"has no cost in (\w+)", r"没有以 \1 计的成本"),
    (r"has no face value in (\w+)", r"没有以 \1 计的面值"),
    (r"would be (\S+)", r"将变为 \1"),
    (r"has no retail price, without which no product file can hold it", "没有零售价，商品文件无法包含它"),
)

_COMPILED = tuple((re.compile(form, re.DOTALL), chinese) for form, chinese in _FORMS)


def in_language(reason: str, locale: str) -> str:
    """A reason in a language; as it is where that is English, or where nobody has said it in the other."""
    return _chinese(reason) if locale == "zh-CN" else reason


@lru_cache(maxsize=10_000)  # a file mostly has the same fault many times
def _chinese(reason: str) -> str:
    for form, chinese in _COMPILED:
        if match := form.fullmatch(reason):
            return match.expand(chinese)
    return reason
