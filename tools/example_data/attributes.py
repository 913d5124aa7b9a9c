"""What the demo's products state beside their texts: the regions that their tags name."""

from __future__ import annotations

REGIONS = (
    ("cn", "中国大陆", "Mainland China"),
    ("hk", "中国香港", "Hong Kong"),
    ("tw", "中国台湾", "Taiwan"),
    ("jp", "日本", "Japan"),
    ("us", "美国", "United States"),
    ("uk", "英国", "United Kingdom"),
    ("eu", "欧洲", "Europe"),
    ("th", "泰国", "Thailand"),
    ("my", "马来西亚", "Malaysia"),
    ("ph", "菲律宾", "Philippines"),
    ("id", "印度尼西亚", "Indonesia"),
    ("global", "全球", "Worldwide"),
)
"""Value, Chinese and English label of each."""


def page() -> str:
    """``attributes.json``: one choice to a line."""
    choices = ",\n".join(
        f'      {{"value": "{value}", "labels": {{"zh-CN": "{chinese}", "en": "{english}"}}}}'
        for value, chinese, english in REGIONS
    )
    return f"""[
  {{
    "categories": ["game", "store", "topup", "media", "software"],
    "code": "region",
    "titles": {{"zh-CN": "适用地区", "en": "Region"}},
    "tag_prefix": "region-",
    "choices": [
{choices}
    ]
  }}
]
"""
