"""The kinds of jobs that the catalogue brings."""

from kameng.module import JobKind
from kameng_catalog.bulk.card_undoing import undo_cards
from kameng_catalog.bulk.exports import (
    export_card_file,
    export_price_file,
    export_product_file,
    export_secret_file,
)
from kameng_catalog.bulk.imports import import_card_file, import_price_file, import_product_file
from kameng_catalog.bulk.price_change import change_prices
from kameng_catalog.bulk.status_change import change_statuses
from kameng_catalog.bulk.undoing import undo_rows
from kameng_catalog.permissions import (
    EXPORT_SECRETS,
    IMPORT_STOCK,
    MANAGE_PRICES,
    MANAGE_PRODUCTS,
    READ_PRODUCTS,
)

JOBS = (
    JobKind(
        name="import_products",
        call=import_product_file,
        roll_back=undo_rows,
        permission=MANAGE_PRODUCTS,
        title_en="Import of products",
        title_zh="导入商品",
    ),
    JobKind(
        name="import_prices",
        call=import_price_file,
        roll_back=undo_rows,
        permission=MANAGE_PRICES,
        title_en="Import of prices",
        title_zh="导入价格",
    ),
    JobKind(
        name="import_cards",
        call=import_card_file,
        roll_back=undo_cards,
        permission=IMPORT_STOCK,
        title_en="Import of cards",
        title_zh="导入卡密",
        keep_input=False,
    ),
    JobKind(
        name="export_products",
        call=export_product_file,
        permission=READ_PRODUCTS,
        title_en="Export of products",
        title_zh="导出商品",
    ),
    JobKind(
        name="export_prices",
        call=export_price_file,
        permission=READ_PRODUCTS,
        title_en="Export of prices",
        title_zh="导出价格",
    ),
    JobKind(
        name="export_cards",
        call=export_card_file,
        permission=READ_PRODUCTS,
        title_en="Export of a list of cards",
        title_zh="导出卡密清单",
    ),
    JobKind(
        name="export_card_secrets",
        call=export_secret_file,
        permission=EXPORT_SECRETS,
        title_en="Export of cards with their secrets",
        title_zh="导出卡密明文",
    ),
    JobKind(
        name="change_prices",
        call=change_prices,
        roll_back=undo_rows,
        permission=MANAGE_PRICES,
        title_en="Bulk change of prices",
        title_zh="批量改价",
    ),
    JobKind(
        name="change_statuses",
        call=change_statuses,
        roll_back=undo_rows,
        permission=MANAGE_PRODUCTS,
        title_en="Bulk publishing",
        title_zh="批量上下架",
    ),
)
