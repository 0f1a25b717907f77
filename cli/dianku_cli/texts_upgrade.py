"""What `dianku edition upgrade` and `back` say, in both languages."""

from __future__ import annotations

UPGRADE_TEXTS: dict[str, tuple[str, str]] = {
    "back_by_backup": (
        (
            "{name} does not know the tables of {owners} as they are now, and tables are never"
            " taken"
            " down. Going back is restoring the backup of before the upgrade; what was sold"
            " since is"
            " not in it. Step for step:\n"
            "  systemctl stop dianku\n"
            "  mkdir {data}/newer && mv {data}/{file}* {data}/newer/\n"
            "  [ ! -d {data}/attachments ] || mv {data}/attachments {data}/newer/\n"
            "  {command} edition back --yes\n"
            "  {command} restore {backup}\n"
            "  systemctl start dianku\n"
            "Run restore as the account that owns {data} (su -s /bin/sh dianku -c '...')."
        ),
        (
            "{name} 不认识 {owners} 现在的数据表，而数据表只能升级不能降级。"
            "要退回，须恢复升级前的备份；此后的销售不在其中。步骤：\n"
            "  systemctl stop dianku\n"
            "  mkdir {data}/newer && mv {data}/{file}* {data}/newer/\n"
            "  [ ! -d {data}/attachments ] || mv {data}/attachments {data}/newer/\n"
            "  {command} edition back --yes\n"
            "  {command} restore {backup}\n"
            "  systemctl start dianku\n"
            "restore 请以 {data} 所属的账户运行（su -s /bin/sh dianku -c '...'）。"
        ),
    ),
    "back_by_backup_elsewhere": (
        (
            "{name} does not know the tables of {owners} as they are now, and tables are never"
            " taken"
            " down. Going back is restoring the backup of before the upgrade; what was sold"
            " since is"
            " not in it. Step for step:\n"
            "  systemctl stop dianku\n"
            "  mkdir {data}/newer\n"
            "  [ ! -d {data}/attachments ] || mv {data}/attachments {data}/newer/\n"
            "  make a new, empty database and write its address as DIANKU_DATABASE into"
            " {settings}\n"
            "  {command} edition back --yes\n"
            "  {command} restore {backup}\n"
            "  systemctl start dianku"
        ),
        (
            "{name} 不认识 {owners} 现在的数据表，而数据表只能升级不能降级。"
            "要退回，须恢复升级前的备份；此后的销售不在其中。步骤：\n"
            "  systemctl stop dianku\n"
            "  mkdir {data}/newer\n"
            "  [ ! -d {data}/attachments ] || mv {data}/attachments {data}/newer/\n"
            "  新建一个空数据库，把地址以 DIANKU_DATABASE 写入 {settings}\n"
            "  {command} edition back --yes\n"
            "  {command} restore {backup}\n"
            "  systemctl start dianku"
        ),
    ),
    "back_done": ("{name} is in use from the restart on.", "重启后使用 {name}。"),
    "back_from_to": ("This goes back to {name}.", "将退回 {name}。"),
    "back_not_asked": (
        "{name} cannot be asked whether it knows the tables; nothing was changed:\n  {reason}",
        "无法确认 {name} 是否认识现有数据表；未作任何改动：\n  {reason}",
    ),
    "back_nothing": (
        "there is no version before {name} to go back to; nothing was changed",
        "{name} 之前没有可退回的版本；未作任何改动",
    ),
    "backed_up_to": ("Backup: {name}", "备份：{name}"),
    "bundle_of_another_edition": (
        "{source} is the bundle of {there}, not of {name}; nothing was changed",
        "{source} 是 {there} 的安装包，不是 {name} 的；未作任何改动",
    ),
    "edition_not_had": (
        "edition {name} cannot be had from the index; name its bundle with --from:\n  {reason}",
        "无法从软件源取得版本 {name}；请用 --from 指明安装包：\n  {reason}",
    ),
    "no_core_in": (
        "{source} holds no {core}, without which nothing starts; get a whole bundle",
        "{source} 里没有 {core}，无法启动；请取得完整的安装包",
    ),
    "edition_wrong_in": (
        "{reason}\nIt was made wrong: take another bundle; nothing was changed",
        "{reason}\n制作有误：请换用另一个安装包；未作任何改动",
    ),
    "no_such_edition_in": (
        "there is no edition {name} in {source}; nothing was changed",
        "{source} 里没有版本 {name}；未作任何改动",
    ),
    "restart_server": (
        "Stop the server and start it again; until then the old one goes on selling.",
        "请停止服务器再启动；在此之前旧的照常营业。",
    ),
    "restart_service": (
        "Now restart it: systemctl restart dianku. Until then the old one goes on selling.",
        "现在请重启：systemctl restart dianku。在此之前旧的照常营业。",
    ),
    "upgrade_added": (
        "  your own, installed again: {names}",
        "  您添加的，将再装入：{names}",
    ),
    "upgrade_asked": ("Go on?", "继续吗？"),
    "upgrade_backup": (
        "  a backup is made first, at most {size} MB",
        "  先备份，最多 {size} MB",
    ),
    "upgrade_changing": ("  change: {names}", "  变化：{names}"),
    "upgrade_coming": ("  come: {names}", "  新增：{names}"),
    "upgrade_database_newer": (
        (
            "the database is at revision {revision}, which {name} does not know: it was made by a"
            " newer version; take that one or a later. Nothing was changed."
        ),
        (
            "数据库的版次是 {revision}，{name} 不认识：它由更新的版本建立；"
            "请用那个或更新的版本。未作任何改动。"
        ),
    ),
    "upgrade_done": ("{after} is installed and in place.", "{after} 已安装就位。"),
    "upgrade_done_all_the_same": (
        "It was switched already: the new version is in use from the restart on. Backup: {backup}",
        "已经切换：重启后使用新版本。备份：{backup}",
    ),
    "upgrade_dry_run": ("Dry run: nothing was changed.", "试运行：未作任何改动。"),
    "upgrade_from_to": ("From {before} to {after}:", "从 {before} 到 {after}："),
    "upgrade_going": ("  go: {names}", "  移除：{names}"),
    "upgrade_interrupted": (
        "Interrupted: what was in use is in use. The backup stays: {backup}",
        "已中断：原来的照常使用。备份保留：{backup}",
    ),
    "upgrade_joining": ("  plugins that join: {names}", "  加入的插件：{names}"),
    "upgrade_leaving": (
        "  plugin {name} leaves; its tables stay, unread until it comes back: {tables}",
        "  插件 {name} 离开；其数据表保留，回来之前无人读取：{tables}",
    ),
    "upgrade_left": (
        "left of an upgrade that was cut off",
        "升级中断后的残留",
    ),
    "upgrade_left_remedy": (
        "the next dianku edition upgrade removes it",
        "下次 dianku edition upgrade 会清除",
    ),
    "upgrade_no_driver": (
        (
            "the shop is on PostgreSQL, and {name} comes without psycopg; build the bundle with it."
            " Nothing was changed."
        ),
        "店铺使用 PostgreSQL，而 {name} 不含 psycopg；请制作含它的安装包。未作任何改动。",
    ),
    "upgrade_no_installation": (
        (
            "this is a plain virtual environment: nothing is kept beside it to switch to or go back"
            " to. There, back up, install, restart:\n"
            "  dianku backup before.backup\n"
            "  pip install --upgrade -r editions/NAME.txt   (or: pip install --upgrade"
            " dianku-NAME)\n"
            "  restart the server\n"
            "Or install the bundle with its install.sh and point it at this data folder."
        ),
        (
            "这是普通的虚拟环境，旁边没有可切换或退回的版本。请先备份，再安装，再重启：\n"
            "  dianku backup before.backup\n"
            "  pip install --upgrade -r editions/NAME.txt  （或：pip install --upgrade"
            " dianku-NAME）\n"
            "  重启服务器\n"
            "或用安装包里的 install.sh 安装，并指向这个数据目录。"
        ),
    ),
    "upgrade_no_room": (
        "there is too little room: {lack}; make room. Nothing was changed.",
        "空间不足：{lack}；请腾出空间。未作任何改动。",
    ),
    "upgrade_no_shop": (
        (
            "there is no shop in {folder} yet: name its folder with --data, or run dianku init."
            " Nothing was changed."
        ),
        "{folder} 里还没有店铺：请用 --data 指明目录，或运行 dianku init。未作任何改动。",
    ),
    "upgrade_not_fitting": (
        (
            "{name} does not fit the new version and is left to be refused at the start; the shop"
            " sells without it. A newer one: dianku plugin install {name}\n  {reason}"
        ),
        (
            "{name} 与新版本不符，启动时会被拒绝；店铺不带它照常营业。"
            "装新版：dianku plugin install {name}\n  {reason}"
        ),
    ),
    "upgrade_not_in_use": (
        "this is {mine}, and {used} is in use; run {command}. Nothing was changed.",
        "这是 {mine}，而正在使用的是 {used}；请运行 {command}。未作任何改动。",
    ),
    "upgrade_not_writable": (
        (
            "{folder} cannot be written to: run this as root, or as whoever installed it."
            " Nothing was changed."
        ),
        "{folder} 不可写：请以 root 或安装者的身份运行。未作任何改动。",
    ),
    "upgrade_pinned": (
        (
            "the edition is set to {pinned} (DIANKU_EDITION or edition in dianku.toml), so"
            " {name} would"
            " not run: take that line out first. Nothing was changed."
        ),
        (
            "版本被设定为 {pinned}（DIANKU_EDITION 或 dianku.toml 的 edition），"
            "{name} 不会运行：请先去掉那一行。未作任何改动。"
        ),
    ),
    "upgrade_plugin_ill": (
        "Plugin {name} is not well in the new version; the shop starts all the same: {reason}",
        "插件 {name} 在新版本中不正常；店铺仍能启动：{reason}",
    ),
    "upgrade_removes": (
        "  older versions that are removed at the end: {names}",
        "  最后删除的更旧版本：{names}",
    ),
    "upgrade_restart": (
        "  the server goes on selling meanwhile and is restarted once, by you, at the end",
        "  其间服务器照常营业，最后由您重启一次",
    ),
    "upgrade_same": (
        "{name} is in use already, made of the same files; nothing to do",
        "{name} 已在使用，文件相同；无需改动",
    ),
    "upgrade_step_backup": ("Backing up.", "正在备份。"),
    "upgrade_step_install": ("Installing into {folder}.", "正在安装到 {folder}。"),
    "upgrade_step_try": (
        "Starting it on a copy of the shop, out of the backup.",
        "正在用备份里的店铺副本试启动。",
    ),
    "upgrade_swept": (
        "Removed: {name}, left of an upgrade that was cut off.",
        "已清除上次中断的升级残留：{name}。",
    ),
    "upgrade_under_way": (
        "somebody is upgrading, or changing plugins, at this moment; try again when that is done",
        "此刻有人正在升级或改动插件；请等它完成后再试",
    ),
    "upgrade_way_back": (
        (
            "To go back: dianku edition back. Once the new version has started and changed tables,"
            " the way back is the backup: {backup}"
        ),
        "要退回：dianku edition back。新版本启动并改动数据表之后，只能用备份退回：{backup}",
    ),
    "upgrade_suspects": (
        (
            "  If a plugin that was added is the cause ({names}): dianku plugin disable NAME,"
            " then upgrade again"
        ),
        "  如果是另装的插件（{names}）所致：先 dianku plugin disable 插件名，再升级",
    ),
    "upgrade_went_back": (
        (
            "It failed, and what was in use is in use; nothing was changed but for the backup,"
            " which"
            " stays: {backup}\n  {reason}"
        ),
        "升级失败，原来的照常使用；除保留的备份外未作任何改动：{backup}\n  {reason}",
    ),
}
"""English and Chinese of each remark, with the placeholders they share."""
