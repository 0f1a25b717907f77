"""What the command line itself says, in both languages; refusals come from the core's catalogue."""

from __future__ import annotations

from typing import Any

from dianku_cli.texts_upgrade import UPGRADE_TEXTS

TEXTS: dict[str, tuple[str, str]] = {
    **UPGRADE_TEXTS,
    "backing_up": ("Writing the backup", "正在备份"),
    "restoring": ("Restoring", "正在恢复"),
    "verifying": ("Verifying", "核对中"),
    "rebuilding": ("Rebuilding", "重建中"),
    "and_more": ("and {count} more", "另有 {count} 处"),
    "backed_up": ("{rows} rows written to {name}", "已将 {rows} 行写入 {name}"),
    "base_unknown": (
        "{where}: it extends {name}, and there is no such edition; there are: {known}",
        "{where}：它扩展自 {name}，但没有这个版本；有：{known}",
    ),
    "build_extra_missing": (
        "building needs {module}; install it with: pip install 'dianku-cli[build]'",
        "制作安装包需要 {module}；请安装：pip install 'dianku-cli[build]'",
    ),
    "building": ("Building {name}", "正在制作 {name}"),
    "bundle_altered": (
        "{path} is not as it was built; fetch it again, nothing was installed:\n{files}",
        "{path} 与制作时不符；请重新取得，未安装任何东西：\n{files}",
    ),
    "bundle_for_another": (
        "{path} is for {wanted} and this is {here}; fetch or build the one for this machine",
        "{path} 适用于 {wanted}，而本机是 {here}；请取得或制作适合本机的安装包",
    ),
    "bundle_not_there": (
        "{path} is not there; name a bundle, archive or folder. Nothing was changed",
        "{path} 不存在；请给出安装包或其解开的目录。未作任何改动",
    ),
    "bundle_unreadable": (
        "{path} is no bundle that can be read ({reason}); fetch it again, nothing was installed",
        "无法读取安装包 {path}（{reason}）；请重新取得，未安装任何东西",
    ),
    "bundled": ("{path}\nsha256 {sha256}", "{path}\nsha256 {sha256}"),
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
    "count_created": ("created", "新建"),
    "count_failed": ("failed", "有错"),
    "count_id": ("import", "导入编号"),
    "count_rows": ("rows", "行数"),
    "count_unchanged": ("unchanged", "未变"),
    "count_updated": ("updated", "更新"),
    "copied": ("{rows} rows copied.", "已复制 {rows} 行。"),
    "demo_hint": (
        "Send it as Authorization: Bearer TOKEN; /api/docs shows the calls; Ctrl-C stops it.",
        "请求时带上 Authorization: Bearer 令牌；接口说明在 /api/docs；按 Ctrl-C 停止。",
    ),
    "demo_link": (
        "Open this to look around as the owner: {link}",
        "打开此链接，以店主身份看看：{link}",
    ),
    "doctor_errors": ("Something is broken; see above.", "有错误，见上。"),
    "doctor_well": ("Nothing is wrong.", "一切正常。"),
    "edition_circle": (
        "{where}: editions extend each other in a circle: {circle}; take one of these lines out",
        "{where}：版本循环扩展：{circle}；请去掉其中一行",
    ),
    "edition_twice": (
        "{where}: edition {name} is also at {other}; give one of them another name",
        "{where}：版本 {name} 在 {other} 也有；请给其中一个另取名称",
    ),
    "edition_sets": (
        "{where}: this cannot be set: {reason}; mend it, or take it out; there are: {known}",
        "{where}：不能这样设置：{reason}；请改正或删去；可用的有：{known}",
    ),
    "edition_unknown": (
        "there is no edition {name}; there are: {known}, or give the path of an edition.toml",
        "没有版本 {name}；有：{known}，也可给出 edition.toml 的路径",
    ),
    "empty_cell": ("(empty)", "（空）"),
    "export_unknown": (
        "there is no export {name}; there are: {known}",
        "没有 {name} 这种导出；有：{known}",
    ),
    "exported": ("{rows} rows written to {name}", "已将 {rows} 行写入 {name}"),
    "exporting": ("Exporting", "导出中"),
    "map_form": (
        "--map takes FIELD=HEADING, such as price=RRP, and not {given}",
        "--map 要写成 FIELD=HEADING，例如 price=会员价，而不是 {given}",
    ),
    "map_twice": (
        "--map gives {name} two columns",
        "--map 给 {name} 指定了两列",
    ),
    "filter_form": (
        "--filter takes NAME=VALUE, such as days=30, and not {given}",
        "--filter 要写成 NAME=VALUE，例如 days=30，而不是 {given}",
    ),
    "group_not_loaded": (
        "the plugin with the group {name} is not running; see: dianku plugin list",
        "提供 {name} 的插件没有运行；请看：dianku plugin list",
    ),
    "import_dry": ("Dry run: nothing was changed.", "试运行：没有作任何改动。"),
    "import_notes": ("Mended or left aside:", "已修正或未采用："),
    "import_unused": ("Columns not used: {names}", "未使用的列：{names}"),
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
    "manifest_missing": (
        "{path} is not there; give an edition's name or the path of its edition.toml",
        "{path} 不存在；请给出版本名称或其 edition.toml 的路径",
    ),
    "history_unreadable": (
        "git does not tell what {folder} holds; build as the clone's owner, with git:\n{reason}",
        "无法从 git 得知 {folder} 的内容；请以仓库所有者的身份、在装有 git 处制作：\n{reason}",
    ),
    "manifest_wrong": (
        "{reason}\nMend it and run this again; nothing was written. The keys are: {keys}",
        "{reason}\n请改正后重新运行；未写入任何东西。可用的键：{keys}",
    ),
    "my_shop": ("My shop", "我的店"),
    "named_as_another": (
        "{where}: this would be {distribution}, as {other} is; give it another name",
        "{where}：这会成为 {distribution}，与 {other} 相同；请另取名称",
    ),
    "os_error": ("{name}: {reason}", "{name}：{reason}"),
    "plugin_begun": (
        "Begun in {folder}. Next: pip install -e {folder}, then dianku plugin check {name}.",
        "已建于 {folder}。接着：pip install -e {folder}，再 dianku plugin check {name}。",
    ),
    "plugin_circle": (
        "{where}: plugins require each other in a circle: {circle}; take one of these lines out",
        "{where}：插件循环依赖：{circle}；请去掉其中一行",
    ),
    "plugin_core": (
        "{where}: plugin {name} works with core {window}, this is {core}; take one that does",
        "{where}：插件 {name} 适用于内核 {window}，而这里是 {core}；请换用相符的插件版本",
    ),
    "plugin_disabled": (
        "{name} is off from the next start; its data stays.",
        "{name} 自下次启动起停用；数据保留。",
    ),
    "plugin_enabled": ("{name} is on from the next start.", "{name} 自下次启动起启用。"),
    "plugin_name_form": (
        "{name!r} cannot be a plugin's name: a to z, 0 to 9 and _, a letter first, at most 31",
        "{name!r} 不能作插件名：只用 a 到 z、0 到 9 和 _，以字母开头，最多 31 个字符",
    ),
    "plugin_name_taken": (
        "{name!r} cannot be a plugin's name: it is the kernel's ({taken})",
        "{name!r} 不能作插件名：内核已使用（{taken}）",
    ),
    "plugin_lacks": (
        "{where}: plugin {name} requires {lacks}, which the edition lacks; name it in {file}",
        "{where}：插件 {name} 依赖 {lacks}，而该版本没有；请写入 {file}",
    ),
    "plugin_misnamed": (
        "{where}: the edition and its entry point call this plugin {name}; give it that name here",
        "{where}：版本清单与入口点称此插件为 {name}；请在此处用同一名称",
    ),
    "plugin_no_entry": (
        "{where}: {file} has no entry point {name} in the group {group}; add it, or mend the name",
        "{where}：{file} 的 {group} 组里没有入口点 {name}；请加上，或改正名称",
    ),
    "plugin_unknown": (
        "{where}: there is no plugin {name}; mend the name, or put its folder at one of: {looked}",
        "{where}：没有插件 {name}；请改正名称，或把它的目录放到：{looked}",
    ),
    "project_unreadable": (
        "{reason}\nMend it and run this again; nothing was written.",
        "{reason}\n请改正后重新运行；未写入任何东西。",
    ),
    "restored": ("{rows} rows restored.", "已恢复 {rows} 行。"),
    "sales_history_only": (
        "--post and --create-missing go with sales-history only",
        "--post 与 --create-missing 只用于 sales-history",
    ),
    "set_up": ("The shop is set up.", "店铺已建立。"),
    "set_up_before": ("The shop was set up before; nothing changed.", "店铺早已建立，未作改动。"),
    "https_not_asked": (
        "--https-name and --plain-port are for --https",
        "--https-name 与 --plain-port 须与 --https 同用",
    ),
    "trust_page": (
        "Phones begin here, once each: {address}",
        "每部手机先打开一次：{address}",
    ),
    "set_up_link": (
        "The owner chooses a password with this one-time link: {link}",
        "店主凭此一次性链接设定密码：{link}",
    ),
    "severity_error": ("error", "错误"),
    "severity_note": ("note", "提示"),
    "severity_warning": ("warning", "警告"),
    "member_no": ("no", "否"),
    "member_optional": ("optional", "可选"),
    "member_required": ("required", "必需"),
    "status_not_started": ("not started", "未启动"),
    "sources_not_found": (
        "{folder} is in no clone of Dianku; run this in one, editions are built from sources",
        "{folder} 不在店库源码中；请在源码目录里运行，版本由源码制作",
    ),
    "status_degraded": ("degraded", "有故障"),
    "status_disabled": ("disabled", "已停用"),
    "status_loaded": ("loaded", "运行中"),
    "status_missing": ("missing", "未安装"),
    "status_refused": ("refused", "未加载"),
    "suite_not_installed": (
        "the conformance suite is not installed here: pip install 'dianku-core[testing]'",
        "此处没有安装规范测试：pip install 'dianku-core[testing]'",
    ),
    "added": ("Installed: {names}.", "已安装：{names}。"),
    "already_installed": (
        "{name} is installed in that version; nothing to do.",
        "{name} 已是该版本；无需改动。",
    ),
    "at_next_start": (
        "It takes effect at the next start; no server is running now.",
        "下次启动时生效；现在没有服务器在运行。",
    ),
    "at_next_start_served": (
        "It takes effect at the next start; a server is running now: restart it.",
        "下次启动时生效；现在有服务器在运行，请重启它。",
    ),
    "change_under_way": (
        "somebody is installing or removing a plugin at this moment; try again when that is done",
        "此刻有人正在安装或卸载插件；请等它完成后再试",
    ),
    "change_undone": (
        "Undone first: a change of {name} that had been cut off.",
        "已先撤销：{name} 上次中断的改动。",
    ),
    "cut_off_install": (
        (
            "installing {name} was cut off half way; run dianku plugin install again,"
            " or dianku plugin remove {name}"
        ),
        "安装 {name} 时中断；请重新运行 dianku plugin install，或 dianku plugin remove {name}",
    ),
    "cut_off_remove": (
        "removing {name} was cut off half way; run dianku plugin remove {name} again",
        "卸载 {name} 时中断；请重新运行 dianku plugin remove {name}",
    ),
    "dry_run_install": (
        "Dry run: the shop starts with it; nothing was changed.",
        "试运行：店铺带上它能启动；没有作任何改动。",
    ),
    "ends_without_it": (
        "The shop does not start without it either: mend that first.",
        "不装它店铺也不能启动：请先处理那个问题。",
    ),
    "environment_closed": (
        (
            "{folder} cannot be written to ({reason}): run this as the account that Dianku was"
            " installed by"
        ),
        "{folder} 不可写（{reason}）：请用安装店库的那个账号运行",
    ),
    "file_taken": (
        (
            "{name} would write over {file} of {owner}; a plugin brings only files of its own."
            " Nothing was changed."
        ),
        "{name} 会覆盖 {owner} 的 {file}；插件只能带自己的文件。没有作任何改动。",
    ),
    "folder_no_project": (
        "{folder} has no pyproject.toml, so it cannot be built; name the folder where it lies",
        "{folder} 里没有 pyproject.toml，无法构建；请给出它所在的文件夹",
    ),
    "folder_not_built": (
        (
            "{folder} could not be built; build its wheel elsewhere and install that, or name"
            " with --wheels a folder that has its build backend. Nothing was changed."
            " pip said:\n  {reason}"
        ),
        (
            "{folder} 无法构建；请在别处构建 wheel 再安装，"
            "或用 --wheels 指定放有其构建工具的文件夹。没有作任何改动。pip 说：\n  {reason}"
        ),
    ),
    "newcomer_not_found": (
        "{name}: it is not found once it is installed",
        "{name}：安装后找不到它",
    ),
    "no_wheel": (
        "{file} is no sound wheel: {reason}. Get it again, or build it anew (pip wheel)",
        "{file} 不是完好的 wheel：{reason}。请重新获取，或重新构建（pip wheel）",
    ),
    "not_installable": (
        (
            "{wish} cannot be installed beside what is here, which stays at its versions. Get one"
            " made for these versions; look at the name and at the index, or name a folder of"
            " wheels with --wheels. Nothing was changed. pip said:\n  {reason}"
        ),
        (
            "{wish} 无法装在现有程序旁（现有的版本不动）。请找适合这些版本的；请检查名称与软件源，"
            "或用 --wheels 指定放 wheel 的文件夹。没有作任何改动。pip 说：\n  {reason}"
        ),
    ),
    "not_ready": (
        "The shop starts, but /readyz does not say it is ready.",
        "启动后 /readyz 未就绪。",
    ),
    "pip_absent": (
        "there is no pip in this environment; run: {python} -m ensurepip",
        "这个环境里没有 pip；请运行：{python} -m ensurepip",
    ),
    "plugin_needed": (
        "{name} is needed by {names}; to switch it off, run: dianku plugin disable {plugin}",
        "{names} 需要 {name}；如要停用，请运行：dianku plugin disable {plugin}",
    ),
    "plugin_not_installed": (
        "no plugin and no distribution with plugins is called {name}; see: dianku plugin list",
        "没有叫 {name} 的插件或插件安装包；请看：dianku plugin list",
    ),
    "plugins_not_started": (
        "No plugin was started: this is what their manifests say.",
        "没有启动任何插件：以下只是它们的清单所写。",
    ),
    "removed": ("{name} is removed.", "已卸载 {name}。"),
    "replaced": ("Replaced: {names}.", "已替换：{names}。"),
    "several_bring": (
        "several distributions bring {name}; name the one to remove: {names}",
        "多个安装包都带有 {name}；请指明要卸载的：{names}",
    ),
    "tables_stay": (
        "Its tables stay and a later install finds them: {names}",
        "它的数据表保留，再次安装即可找到：{names}",
    ),
    "taken_along": (
        "It would do harm to another plugin: {state}",
        "它会使另一个插件出问题：{state}",
    ),
    "trial_doing": (", while {name} was brought up", "，当时正在加载 {name}"),
    "trial_ended": (
        "The trial ended its process with {code} and no answer",
        "试启动的进程以 {code} 退出，没有应答",
    ),
    "trial_failed": (
        (
            "The shop was started with it on a copy, and was worse off. Nothing was changed."
            " Tell its author:\n{reason}"
        ),
        "在副本上带着它试启动，店铺变差了。没有作任何改动。请告知插件作者：\n{reason}",
    ),
    "trial_hung": (
        "The trial was not done after {seconds} seconds and was ended (--patience allows more)",
        "试启动 {seconds} 秒仍未完成，已终止（可用 --patience 延长）",
    ),
    "tried_without_books": (
        "On PostgreSQL it is tried with the plugins' own tables, without the books.",
        "在 PostgreSQL 上只带插件自己的数据表试启动，不带账本。",
    ),
    "trying": ("Starting a copy of the shop with {names}…", "正在店铺副本上试启动 {names}…"),
    "unneeded_stay": (
        "Nothing else needs these, which stay: {names}",
        "以下已无人需要，仍保留：{names}",
    ),
    "went_back": (
        "It could not be done, and everything was put back as it was:\n  {reason}",
        "未能完成，一切已恢复原样：\n  {reason}",
    ),
    "wish_an_edition": (
        "{name} is an edition and no plugin; see: dianku edition --help",
        "{name} 是版本而不是插件；请看：dianku edition --help",
    ),
    "wish_no_plugin": (
        "{name} is no plugin: it has no entry point in the group dianku.plugins",
        "{name} 不是插件：没有 dianku.plugins 组的入口点",
    ),
    "wish_not_there": (
        "{wish} is not there; name a wheel, a folder with pyproject.toml, or a plugin",
        "{wish} 不存在；请给出 wheel、带 pyproject.toml 的文件夹或插件名",
    ),
    "wish_unreadable": (
        (
            "{wish} is no name of a plugin (alerts, dianku-alerts, alerts==1.2), and no wheel or"
            " folder either"
        ),
        "{wish} 不是插件名（alerts、dianku-alerts、alerts==1.2），也不是 wheel 或文件夹",
    ),
    "would_add": ("adds {name} {version}", "新增 {name} {version}"),
    "would_replace": ("replaces {name} {before} by {version}", "{name} 由 {before} 换成 {version}"),
    "column_cause": ("cause", "原因"),
    "column_edition": ("edition", "版本归属"),
    "column_hooks": ("hooks", "钩子"),
    "column_permissions": ("permissions", "权限"),
    "column_rights": ("rights", "自身权限"),
    "column_rows": ("rows", "行数"),
    "column_settings": ("settings", "设置"),
    "user_added": ("{name} added as {role}", "已添加 {name}（{role}）"),
    "tools_differ": (
        "with {there} others would build another bundle; first: pip install {wanted}",
        "用 {there} 制作会与他人所得不同；请先安装：pip install {wanted}",
    ),
    "wheel_not_built": (
        "{file}: no wheel was built; if its backend is lacking: pip install {requires}\n{said}",
        "{file}：未能制作 wheel；请按下面所说改正。若缺少后端：pip install {requires}\n{said}",
    ),
    "wheel_unreadable": (
        "{path} is no wheel ({reason}); fetch or build it again, nothing was changed",
        "{path} 不是 wheel（{reason}）；请重新取得或制作，未作任何改动",
    ),
    "wheels_loose": (
        "these versions are written down nowhere, so builds could differ; add to {file}:\n{lines}",
        "这些版本没有写定，再次制作可能不同；请加到 {file}：\n{lines}",
    ),
    "wheels_not_fetched": (
        "wheels could not be fetched; see to the network or --wheels, nothing was written:\n{said}",
        "无法取得第三方 wheel；请检查网络或 --wheels，未写入任何东西：\n{said}",
    ),
}
"""English and Chinese of each remark, with the placeholders they share."""


def say(key: str, language: str, **params: Any) -> str:
    """One remark in a language."""
    english, chinese = TEXTS[key]
    return (english if language == "en" else chinese).format(**params)
