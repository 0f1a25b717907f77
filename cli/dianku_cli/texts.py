"""What the command line itself says, in both languages; refusals come from the core's catalogue."""

from __future__ import annotations

from typing import Any

TEXTS: dict[str, tuple[str, str]] = {
    "backing_up": ("Writing the backup", "正在备份"),
    "restoring": ("Restoring", "正在恢复"),
    "verifying": ("Verifying", "核对中"),
    "rebuilding": ("Rebuilding", "重建中"),
    "and_more": ("and {count} more", "另有 {count} 处"),
    "backed_up": ("{rows} rows written to {name}", "已将 {rows} 行写入 {name}"),
    "column_available": ("available", "可用"),
    "column_commands": ("commands", "命令"),
    "column_current": ("current", "当前"),
    "column_business_date": ("business date", "营业日"),
    "column_damaged": ("damaged", "残次"),
    "column_detail": ("detail", "说明"),
    "column_distribution": ("distribution", "安装包"),
    "column_expected": ("by the moves", "按流水"),
    "column_faults": ("faults", "故障"),
    "column_figure": ("figure", "数字"),
    "column_found": ("kept in the books", "账上"),
    "column_kept": ("kept", "客存"),
    "column_latest": ("latest", "最新"),
    "column_name": ("name", "名称"),
    "column_on_hand": ("on hand", "现存"),
    "column_optional": ("optional", "可选插件"),
    "column_owner": ("owner", "所属"),
    "column_product": ("product", "商品"),
    "column_remedy": ("what to do", "怎么办"),
    "column_required": ("required", "必需"),
    "column_requires": ("requires", "依赖"),
    "column_reserved": ("reserved", "占用"),
    "column_routes": ("routes", "接口路径"),
    "column_severity": ("severity", "程度"),
    "column_sku": ("SKU", "商品编码"),
    "column_sold_30d": ("sold 30d", "30天销量"),
    "column_sold_7d": ("sold 7d", "7天销量"),
    "column_status": ("status", "状态"),
    "column_store": ("store", "门店"),
    "column_subject": ("about", "对象"),
    "column_table": ("table", "数据表"),
    "column_tables": ("tables", "数据表"),
    "column_title": ("title", "标题"),
    "column_unit": ("unit", "单位"),
    "column_up_to_date": ("up to date", "已最新"),
    "column_value": ("value", "金额"),
    "column_version": ("version", "版本"),
    "column_what": ("what", "问题"),
    "copied": ("{rows} rows copied.", "已复制 {rows} 行。"),
    "demo_hint": (
        "Send it as Authorization: Bearer TOKEN; /api/docs shows the calls; Ctrl-C stops it.",
        "请求时带上 Authorization: Bearer 令牌；接口说明在 /api/docs；按 Ctrl-C 停止。",
    ),
    "doctor_errors": ("Something is broken; see above.", "有错误，见上。"),
    "doctor_well": ("Nothing is wrong.", "一切正常。"),
    "exported": ("{rows} rows written to {name}", "已将 {rows} 行写入 {name}"),
    "exporting": ("Exporting", "导出中"),
    "group_not_loaded": (
        "the plugin with the group {name} is not running; see: dianku plugin list",
        "提供 {name} 的插件没有运行；请看：dianku plugin list",
    ),
    "import_dry": ("Dry run: nothing was changed.", "试运行：没有作任何改动。"),
    "importing": ("Reading {name}", "正在读入 {name}"),
    "ledger_clean": (
        "Every balance and summary agrees with its moves ({moves} moves).",
        "全部结存与汇总均与流水相符（{moves} 条流水）。",
    ),
    "ledger_differs": (
        "{count} differences; dianku ledger rebuild mends balances and summaries",
        "{count} 处不符；可用 dianku ledger rebuild 重建结存与汇总",
    ),
    "ledger_rebuilt": ("Rebuilt from the moves: {rows} rows.", "已由流水重建：{rows} 行。"),
    "left_out": ("Secrets to be entered again: {names}", "须重新填写的密钥：{names}"),
    "making_demo": ("Making a shop", "正在建立样板店"),
    "my_shop": ("My shop", "我的店"),
    "os_error": ("{name}: {reason}", "{name}：{reason}"),
    "plugin_disabled": (
        "{name} is off from the next start; its data stays.",
        "{name} 自下次启动起停用；数据保留。",
    ),
    "plugin_enabled": ("{name} is on from the next start.", "{name} 自下次启动起启用。"),
    "restored": ("{rows} rows restored.", "已恢复 {rows} 行。"),
    "set_up": ("The shop is set up.", "店铺已建立。"),
    "set_up_before": ("The shop was set up before; nothing changed.", "店铺早已建立，未作改动。"),
    "set_up_link": (
        "The owner chooses a password with this one-time link: {link}",
        "店主凭此一次性链接设定密码：{link}",
    ),
    "severity_error": ("error", "错误"),
    "severity_note": ("note", "提示"),
    "severity_warning": ("warning", "警告"),
    "status_degraded": ("degraded", "有故障"),
    "status_disabled": ("disabled", "已停用"),
    "status_loaded": ("loaded", "运行中"),
    "status_missing": ("missing", "未安装"),
    "status_refused": ("refused", "未加载"),
    "user_added": ("{name} added as {role}", "已添加 {name}（{role}）"),
}
"""English and Chinese of each remark, with the placeholders they share."""


def say(key: str, language: str, **params: Any) -> str:
    """One remark in a language."""
    english, chinese = TEXTS[key]
    return (english if language == "en" else chinese).format(**params)
