"""The Chinese texts of `--help`: of commands by their names, of options by theirs."""

from __future__ import annotations

COMMANDS = {
    "": "店库（Dianku）让门店账实相符。",
    "backup": "把整个店铺备份到一个文件。\n\n"
    "服务器运行时也可备份；文件须尚不存在。设置里的密钥不写入。",
    "db": "迁移、查看、复制数据库。",
    "db copy": "把店铺复制到另一个空数据库。\n\n例如从 SQLite 到 PostgreSQL；请先停服务器。",
    "db status": "显示内核与各插件的数据表版本。",
    "db upgrade": "把数据表升级到已安装程序所需的版本。",
    "demo": "试用一家有商品、有几个月流水的样板店。\n\n"
    "建在临时目录里，打印店主令牌、登录链接（装有网页时）和地址，按 Ctrl-C 停止。",
    "doctor": "检查有什么不对，并说明怎么办。\n\n有错误时退出码为 1。",
    "edition": "查看版本，制作安装包，换用另一个版本。",
    "edition back": "退回上次升级之前使用的版本。\n\n新版本已改动数据表时，会说明如何用备份退回。",
    "edition build": "制作一个版本的安装包，供无网络时安装。\n\n"
    "在店库源码目录里运行。NAME 为其中的版本，或任何人的 edition.toml 的路径。"
    "安装包适用于运行此命令的 Python 与这类机器。",
    "edition list": "列出已安装的版本。",
    "edition show": "显示一个版本及其插件；默认为正在使用的版本。",
    "edition upgrade": "换用另一个版本，升或降。\n\n"
    "先说明要做什么并询问；备份；在旁边安装；用店铺副本试启动；再切换。其间照常营业，只需重启一次；"
    "任何一步失败都不作改动。离开的插件的数据表保留，回来时仍在。",
    "export": "把数据写成 CSV 或 XLSX 文件。\n\n"
    "格式由文件扩展名决定；KIND 为 products、stock、documents、moves 或报表（如 reports.sales）。"
    "导出的商品再导入不会有任何改变。",
    "import": "把 CSV、XLSX 或 XLS 文件读入店铺。\n\n"
    "KIND 说明每行是什么：opening-stock 设定期初库存，sales-history 只供报表和预测，不动库存。"
    "错误的单元格按行列列出，退出码为 1。",
    "init": "建立店铺、第一家门店和店主。\n\n"
    "每个选项都有默认值。不给 --owner 时打印一次性设置链接。再次运行不改变任何东西。",
    "ledger": "核对与重建账本的汇总。",
    "ledger rebuild": "由流水重新算出结存与汇总；流水永不改动。",
    "ledger verify": "把每个结存与汇总同其流水核对。\n\n有差异时逐条指出商品与门店，退出码为 1。",
    "plugin check": "对已安装的插件运行规范测试。",
    "plugin": "安装、列出插件，启用或停用。",
    "plugin disable": "停用一个插件，下次启动生效；数据保留。",
    "plugin enable": "启用一个插件，下次启动生效。",
    "plugin info": "显示一个插件的详情。",
    "plugin install": "安装插件，或换成更新的版本。\n\n"
    "只给名称时从 pip 所设的软件源获取。已安装的都保持原来的版本。"
    "先在店铺副本上带着它试启动，若变差则不作任何改动。下次启动时生效。",
    "plugin list": "列出已安装的插件及其状态。",
    "plugin new": "新建一个插件：一个现成就能通过规范测试的包。",
    "plugin remove": "从这个环境卸载插件；它的数据表保留。",
    "restore": "从备份恢复店铺。\n\n"
    "恢复到空目录和空数据库；请先停服务器。旧版本的备份会顺便升级，最后核对账本。",
    "serve": "先迁移，再运行服务器。\n\n"
    '能应答时打印一行 "listening on http://HOST:PORT"。按 Ctrl-C 停止。\n\n'
    "加 --https 时，店内网络上的手机也能用，每部手机信任一次；做法见 --plain-port 上的网页。",
    "stock": "打印现在或某日的库存。",
    "token": "为 HTTP 接口发放令牌。",
    "token create": "发放令牌，只打印令牌本身。\n\n只保存其散列，不会再显示。",
    "user": "添加登录的人员。",
    "user add": "添加一名人员。\n\n不给 --password-stdin 时，须由店主设定密码后才能登录。",
}
"""Command, with its groups, to its Chinese help; the first line is the line in listings."""

OPTIONS = {
    "--again": "同一文件再次导入。",
    "--as-of": "某个营业日结束时的库存。",
    "--create-missing": "仅销售历史：自动建立未知商品。",
    "--data": "内嵌数据库、上传与备份所在目录 [DIANKU_DATA]。",
    "--database": "sqlite:///FILE 或 postgresql://USER@HOST/NAME [DIANKU_DATABASE]。",
    "--dry-run": "不作改动，只说明会发生什么。",
    "--map": "某个字段在哪一列（标题或列的字母）；可以重复。",
    "--heading-row": "标题在第几行，从 1 数起；0：没有标题。",
    "--filter": "只要符合的；名称与 HTTP 列表的参数相同，可重复。",
    "--from": "所在的安装包（文件或目录）；不给则用 pip 所设的软件源。",
    "--host": "监听地址。[默认：127.0.0.1；加 --https 时为全部地址 0.0.0.0]",
    "--json": "输出 JSON。",
    "--keep": "使用并保留此目录，不用临时目录。",
    "--language": "语言 [DIANKU_LANGUAGE]；默认随系统。",
    "--name": "令牌的名称，记入审计。",
    "--no-background": "不运行任务，不通知插件；用于试运行店铺副本。",
    "--no-plugins": "不加载插件；放在命令之前。",
    "--out": "写到哪个目录；默认当前目录。",
    "--owner": "店主的用户名；不给则打印设置链接。",
    "--patience": "试启动最多等多少秒。",
    "--password-stdin": "从标准输入读取密码。",
    "--https": "使用 HTTPS，证书由店铺自己的机构签发，手机信任一次即可。",
    "--https-name": "与 --https 同用：本机的另一个名称或地址；可重复。",
    "--plain-port": "与 --https 同用：教手机信任的网页所在端口；0 为任一空闲端口。"
    "[默认：--port 的下一个]",
    "--plugin": "另加载一个 Python 文件中的插件；可重复。",
    "--port": "端口；0 为任一空闲端口。",
    "--post": "仅销售历史：同时变动库存。",
    "--role": "角色。",
    "--shop": "店铺名称。",
    "--sku": "只看这些商品；可重复。",
    "--since-last": "接着上次用此选项核对到的地方往下核对；适合每天用。",
    "--store": "限于这些门店；可重复。",
    "--timezone": "第一家门店的时区。",
    "--version": "显示版本并退出。",
    "--wheels": "全部取自这个放 wheel 的文件夹，不用软件源。",
    "--workers": "进程数；大于 1 仅限 PostgreSQL。",
    "edition build --out": "安装包放到哪个目录。",
    "edition build --wheels": "第三方 wheel 取自此目录，而不从索引下载。",
    "--yes": "不询问。",
    "edition upgrade --json": "输出 JSON；不询问，因此须加 --yes。",
    "import --store": "行内未注明时所属的门店。",
    "init --language": "店铺的语言。",
    "init --store": "第一家门店的编码。",
}
"""Option to its Chinese help, those of one command under `command --option`."""
