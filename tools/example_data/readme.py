"""The page beside the files: what they hold, their columns, and the planted faults with their lines."""

from collections import Counter

from . import card_stock, catalogue, faults
from .pricing import RATES

PAGE = """\
# Example data

Input files for the demo shop of a digital-goods reseller, and for trying the import. They are written by
`python -m tools.example_data`: change the tables there, not the files here; `--check` tells if both agree.

- **Every card here is generated** from a fixed seed (SHAKE-256). No issuer knows any; they redeem nothing.
- Brands, products and denominations are real and belong to their owners, who have no part in this. List
  prices may have changed since; prices and costs are samples, no offers. CNY for a unit of each currency:
  {rates}.
- CSV is UTF-8 without a byte order mark, with a header, commas and `\\n`. No field holds a line break, so a
  record's number and its line are the same thing (the header is line 1).

## Files

| file | rows | what |
|---|---:|---|
| `products.csv` | {variants:,} | the product list: {products} products in {categories} categories |
| `attributes.json` | 1 | what products of a category state: the regions that their tags name |
| `products-small.xlsx` | {small} | some of them as a workbook; its amounts are number cells |
| `cards.csv` | {cards:,} | {stocked} variants: {plenty} each of {best} best sellers, {some} of others |
| `cards-steam-us-20.csv` | {extra} | only secrets, not those of `cards.csv`; the command names the variant |
| `products-broken.csv` | {broken_products} | {product_faults} planted faults, listed below |
| `cards-broken.csv` | {broken_cards} | {card_faults} planted faults, listed below |

```sh
kameng import products examples/data/products.csv
kameng import cards examples/data/cards-steam-us-20.csv --variant {extra_sku}
```

## Columns of a product file

| column | meaning |
|---|---|
| `sku` | the variant's own code: ASCII, unique, never changes |
| `product` | slug of the product; lines with the same one are variants of one product |
| `title_zh`, `title_en` | title of the product |
| `variant_zh`, `variant_en` | title of the variant |
| `category` | path of slugs, `parent/leaf` |
| `category_zh`, `category_en` | names of root and leaf, `parent/leaf` |
| `kind` | kind of stock; here always `card` |
| `face_value`, `face_currency` | what the card is worth, or the list price; currency by ISO 4217 |
| `price`, `cost` | what the buyer pays and what the card cost us, at most four decimals |
| `currency` | of price and cost; here always `CNY` |
| `description_zh`, `description_en` | how to redeem it and where it is valid |
| `tags` | separated by semicolons |
| `status` | here always `published` |

## Columns of a card file

| column | meaning |
|---|---|
| `sku` | the variant that the card belongs to |
| `number` | printed card number, if the brand has one; may be empty |
| `secret` | what is sold: password, code or key |
| `expires_on` | last day on which it can be redeemed (`YYYY-MM-DD`), or empty |

## Categories

| path | 中文 | English | variants |
|---|---|---|---:|
{category_rows}

## Faults in `products-broken.csv`

{sound_products} of {broken_products} lines are sound.

{product_fault_rows}

## Faults in `cards-broken.csv`

{sound_cards} of {broken_cards} lines are sound, if the variants of `products.csv` exist.

{card_fault_rows}
"""


def _fault_table(broken: faults.Broken) -> str:
    rows = [
        f"| {fault.line} | {f'`{fault.column}`' if fault.column else '(line)'} | {fault.what} |"
        for fault in broken.faults
    ]
    return "\n".join(["| line | column | fault |", "|---:|---|---|", *rows])


def page() -> str:
    """The README as Markdown."""
    products, cards = faults.products(), faults.cards()
    leaves = {product.category.path: product.category for product in catalogue.PRODUCTS}
    counts = Counter(product.category.path for product, _ in catalogue.VARIANTS.values())
    return PAGE.format(
        rates=", ".join(f"{code} {rate}" for code, rate in RATES.items() if code != "CNY"),
        variants=len(catalogue.VARIANTS),
        products=len(catalogue.PRODUCTS),
        categories=len(leaves),
        small=len(catalogue.SMALL),
        cards=len(card_stock.stock()),
        stocked=len(card_stock.BEST_SELLERS) + len(card_stock.SLOWER),
        plenty=card_stock.PLENTY,
        best=len(card_stock.BEST_SELLERS),
        some=card_stock.SOME,
        extra=card_stock.PLENTY,
        extra_sku=card_stock.EXTRA_SKU,
        broken_products=len(products.lines),
        product_faults=len(products.faults),
        sound_products=products.sound,
        product_fault_rows=_fault_table(products),
        broken_cards=len(cards.lines),
        card_faults=len(cards.faults),
        sound_cards=cards.sound,
        card_fault_rows=_fault_table(cards),
        category_rows="\n".join(
            f"| `{path}` | {leaf.name.zh} | {leaf.name.en} | {counts[path]} |"
            for path, leaf in leaves.items()
        ),
    )
