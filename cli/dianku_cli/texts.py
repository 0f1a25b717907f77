"""What the command line itself says, in both languages; refusals come from the core's catalogue."""

from __future__ import annotations

from typing import Any

TEXTS: dict[str, tuple[str, str]] = {
    "and_more": ("and {count} more", "另有 {count} 处"),
    "bad_settings": ("{source}: {reason}", "{source}：{reason}"),
    "backed_up": ("{name} written", "已写入 {name}"),
    "backing_up": ("Backing up", "备份中"),
    "column_available": ("available", "可用"),
    "column_damaged": ("damaged", "残次"),
    "column_kept": ("kept", "客存"),
    "column_name": ("name", "名称"),
    "column_on_hand": ("on hand", "现存"),
    "column_reserved": ("reserved", "占用"),
    "column_sku": ("SKU", "商品编码"),
    "column_sold_30d": ("sold 30d", "30天销量"),
    "column_sold_7d": ("sold 7d", "7天销量"),
    "column_store": ("store", "门店"),
    "column_unit": ("unit", "单位"),
    "column_value": ("value", "金额"),
    "copied": ("Copied to {name}", "已复制到 {name}"),
    "copying": ("Copying", "复制中"),
    "doctor_well": ("Nothing is wrong.", "一切正常。"),
    "exported": ("{rows} rows written to {name}", "已将 {rows} 行写入 {name}"),
    "exporting": ("Exporting", "导出中"),
    "group_not_loaded": (
        "the plugin with the group {name!r} is not running; see: dianku plugin list",
        "提供 {name} 的插件没有运行；请看：dianku plugin list",
    ),
    "import_dry": ("Dry run: nothing was changed.", "试运行：没有作任何改动。"),
    "importing": ("Reading {name}", "正在读入 {name}"),
    "ledger_clean": ("Every balance agrees with its moves.", "全部结存与流水相符。"),
    "ledger_differs": (
        "{count} differences; dianku ledger rebuild mends balances and summaries",
        "{count} 处不符；可用 dianku ledger rebuild 重建结存与汇总",
    ),
    "ledger_rebuilt": ("Rebuilt.", "已重建。"),
    "making_demo": ("Making a shop", "正在建立样板店"),
    "my_shop": ("My shop", "我的店"),
    "next_start": ("{name}: {state} from the next start", "{name}：下次启动起{state}"),
    "rebuilding": ("Rebuilding", "重建中"),
    "restored": ("The shop is restored.", "店铺已恢复。"),
    "restoring": ("Restoring", "恢复中"),
    "set_up": ("The shop is set up.", "店铺已建立。"),
    "set_up_before": ("The shop was set up before; nothing changed.", "店铺早已建立，未作改动。"),
    "state_disabled": ("disabled", "停用"),
    "state_enabled": ("enabled", "启用"),
    "up_to_date": ("Everything is up to date.", "已是最新。"),
    "user_added": ("{name} added as {role}", "已添加 {name}（{role}）"),
    "verifying": ("Verifying", "核对中"),
    "os_error": ("{name}: {reason}", "{name}：{reason}"),
}
"""English and Chinese of each remark, with the placeholders they share."""


def say(key: str, language: str, **params: Any) -> str:
    """One remark in a language."""
    english, chinese = TEXTS[key]
    return (english if language == "en" else chinese).format(**params)
