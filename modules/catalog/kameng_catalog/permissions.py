"""What only some of the staff may do with the catalogue."""

from kameng.module import Permission

READ_PRODUCTS = Permission(
    "catalog.read_products", "See products, costs and stock in the back office", "查看商品、成本和库存"
)
MANAGE_PRODUCTS = Permission(
    "catalog.manage_products", "Change, publish and import products", "修改、上架和导入商品"
)
MANAGE_PRICES = Permission("catalog.manage_prices", "Change prices", "修改价格")
IMPORT_STOCK = Permission("catalog.import_stock", "Import cards", "导入卡密")
MANAGE_STOCK = Permission(
    "catalog.manage_stock",
    "Set stock figures, put batches into quarantine and recall them",
    "调整库存、隔离和召回批次",
)
REVEAL_CARDS = Permission("catalog.reveal_cards", "See the secrets of cards", "查看卡密明文")
EXPORT_SECRETS = Permission(
    "catalog.export_secrets", "Export cards with their secrets to a file", "导出卡密明文文件"
)

PERMISSIONS = (
    READ_PRODUCTS,
    MANAGE_PRODUCTS,
    MANAGE_PRICES,
    IMPORT_STOCK,
    MANAGE_STOCK,
    REVEAL_CARDS,
    EXPORT_SECRETS,
)
