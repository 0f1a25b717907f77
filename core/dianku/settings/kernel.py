"""The kernel's own sections: the shop, the HTTP edge, what may be reached from inside."""

from __future__ import annotations

from collections.abc import Sequence

from dianku.hooks.records import Title
from dianku.settings.schema import Field, Section

YEARS_100_DAYS = 36_500


def _days(name: str, zh: str, en: str, default: int | None) -> Field:
    return Field(
        name=name,
        type="integer",
        title=Title(zh, en),
        default=default,
        minimum=1,
        maximum=YEARS_100_DAYS,
    )


SHOP = Section.of(
    "shop",
    Title("店铺", "Shop"),
    Field(name="name", type="text", title=Title("店名", "Name"), default=""),
    Field(name="currency", type="text", title=Title("货币", "Currency"), default="CNY"),
    Field(
        name="language",
        type="choice",
        title=Title("语言", "Language"),
        default="zh-CN",
        choices=("zh-CN", "en"),
    ),
    Field(
        name="timezone",
        type="timezone",
        title=Title("时区", "Time zone"),
        default="Asia/Shanghai",
        description=Title("每日任务按此时钟", "The clock of daily jobs; stores have their own"),
    ),
    Field(
        name="low_stock",
        type="decimal",
        title=Title("低库存线", "Low stock line"),
        minimum=0,
        description=Title("商品与分类未设时用", "Where product and category set none"),
    ),
    _days("overstock_days", "积压天数", "Overstock days", 30),
    Field(
        name="unusual_receipt_times",
        type="integer",
        title=Title("异常数量倍数", "Unusual quantity, times the usual"),
        default=10,
        minimum=2,
        maximum=1_000_000,
    ),
    _days("unusual_receipt_days", "异常入库天数", "Unusual receipt, days of sales", 90),
    Field(
        name="hold_minutes",
        type="integer",
        title=Title("占用时长(分钟)", "Minutes a hold lasts"),
        default=15,
        minimum=1,
        maximum=527_040,
        description=Title("占用未说明时", "Where a reservation says none"),
    ),
    _days("backfill_days", "补录期限(天)", "Days a late document needs no permission", 35),
)

HTTP = Section.of(
    "http",
    Title("网络接口", "HTTP"),
    Field(
        name="rate_limit",
        type="integer",
        title=Title("每分钟请求数", "Requests per minute and token"),
        default=0,
        minimum=0,
        maximum=1_000_000,
        description=Title("0 为不限", "0 for none"),
    ),
    Field(
        name="body_bytes_max",
        type="integer",
        title=Title("请求体上限(字节)", "Largest body, bytes"),
        default=8_000_000,
        minimum=10_000,
        maximum=1_000_000_000,
    ),
    Field(
        name="upload_bytes_max",
        type="integer",
        title=Title("上传上限(字节)", "Largest upload, bytes"),
        default=64_000_000,
        minimum=10_000,
        maximum=10_000_000_000,
    ),
    Field(
        name="trusted_proxies",
        type="networks",
        title=Title("可信代理", "Trusted proxies"),
        default=["127.0.0.1", "::1"],
        description=Title(
            "采信这些地址的 X-Forwarded-Proto", "Whose X-Forwarded-Proto is believed"
        ),
    ),
)

NET = Section.of(
    "net",
    Title("对外连接", "Network"),
    Field(
        name="allow_private",
        type="boolean",
        title=Title("允许内网地址", "Admit inside addresses"),
        default=False,
    ),
)

KERNEL_SECTIONS: Sequence[Section] = (SHOP, HTTP, NET)
