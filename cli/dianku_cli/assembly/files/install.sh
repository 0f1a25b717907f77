#!/bin/sh
# Install Dianku, edition @EDITION@ @VERSION@, out of the folder this file lies in. No network is
# needed. What it makes: PREFIX/versions/@EDITION@-@VERSION@ (a virtual environment), PREFIX/current
# (which version runs), PREFIX/bin/dianku (the command), PREFIX/dianku.env (where the data is), and
# with root's rights the account and the service. Run again, it completes what is missing.
set -eu
umask 022
unset PYTHONPATH PYTHONHOME

edition='@EDITION@'
version='@VERSION@'
python_tag='@PYTHON@'
platform_tag='@PLATFORM@'

prefix=/opt/dianku
data=/var/lib/dianku
database=
python=
account=dianku
make_account=yes
service=yes
unit_dir=/etc/systemd/system

case ${LC_ALL:-${LC_MESSAGES:-${LANG:-}}} in
    zh*) chinese=yes ;;
    *) chinese= ;;
esac
say() { if [ -n "$chinese" ]; then printf '%s\n' "$2"; else printf '%s\n' "$1"; fi; }
fail() { say "$1" "$2" >&2; exit 1; }
usage() {
    say "usage: sh install.sh [--prefix DIR] [--data DIR] [--database URL] [--python PROGRAM]
           [--account NAME] [--no-account] [--no-service] [--unit-dir DIR]
  --prefix DIR      where the program goes ($prefix)
  --data DIR        where the shop's data goes ($data)
  --database URL    postgresql://USER@HOST/NAME; without it, a file in the data folder
  --python PROGRAM  the Python to run it with
  --account NAME    the account that runs it ($account); made if it is not there
  --no-account      make no account: whoever installs runs it
  --no-service      write no systemd unit
  --unit-dir DIR    where the unit goes ($unit_dir)" \
        "用法：sh install.sh [--prefix 目录] [--data 目录] [--database 地址] [--python 程序]
           [--account 账户] [--no-account] [--no-service] [--unit-dir 目录]
  --prefix    程序所在目录（$prefix）
  --data      店铺数据所在目录（$data）
  --database  postgresql://用户@主机/库名；不给则用数据目录里的文件
  --python    用哪个 Python 运行
  --account   运行服务的账户（$account），没有则建立
  --no-account  不建账户，由安装者运行
  --no-service  不写 systemd 单元
  --unit-dir  单元文件所在目录（$unit_dir）"
}
given() {
    [ "$2" -ge 2 ] || { usage >&2; exit 2; }
}
while [ $# -gt 0 ]; do
    case $1 in
        --prefix) given "$1" $#; prefix=$2; shift ;;
        --data) given "$1" $#; data=$2; shift ;;
        --database) given "$1" $#; database=$2; shift ;;
        --python) given "$1" $#; python=$2; shift ;;
        --account) given "$1" $#; account=$2; shift ;;
        --unit-dir) given "$1" $#; unit_dir=$2; shift ;;
        --no-account) make_account= ;;
        --no-service) service= ;;
        -h | --help) usage; exit 0 ;;
        *) usage >&2; exit 2 ;;
    esac
    shift
done

# 1. Nothing is believed before every byte has been compared with what was built.
here=$(cd "$(dirname "$0")" && pwd -P)
cd "$here"
if command -v sha256sum >/dev/null 2>&1; then
    sums() { sha256sum -c SHA256SUMS; }
elif command -v shasum >/dev/null 2>&1; then
    sums() { shasum -a 256 -c SHA256SUMS; }
else
    fail "neither sha256sum nor shasum is there; install coreutils" "缺少 sha256sum 或 shasum；请安装 coreutils"
fi
[ -f SHA256SUMS ] || fail "SHA256SUMS is missing: this is no whole bundle; fetch it again" \
    "缺少 SHA256SUMS：安装包不完整，请重新取得"
compared=$(sums 2>&1) || {
    printf '%s\n' "$compared" | grep -v ': OK$' >&2 || true
    fail "The files named above are not as they were built; fetch the bundle again. Nothing was installed." \
        "以上文件与制作时不符；请重新取得安装包。未安装任何东西。"
}
known=$(cut -c67- SHA256SUMS)
added=$(find . ! -type d ! -path ./SHA256SUMS | sed 's|^\./||' | grep -vxF -e "$known") || true
[ -z "$added" ] || {
    printf '%s\n' "$added" >&2
    fail "The files named above do not belong to the bundle; fetch it again. Nothing was installed." \
        "以上文件不属于安装包；请重新取得。未安装任何东西。"
}

# 2. The Python and the machine it was built for.
described='import sys, sysconfig
print("cp%d%d" % sys.version_info[:2], sysconfig.get_platform().replace("-", "_").replace(".", "_"))'
dotted="3.${python_tag#cp3}"
if [ -z "$python" ]; then
    for python in "python$dotted" python3 python; do
        [ "$("$python" -c "$described" 2>/dev/null)" != "$python_tag $platform_tag" ] || break
        python=
    done
fi
[ -n "$python" ] || fail "Python $dotted for $platform_tag was not found; install it, or name it with --python" \
    "没有找到适用于 $platform_tag 的 Python $dotted；请安装，或用 --python 指明"
found=$("$python" -c "$described") || fail "$python does not run" "$python 无法运行"
[ "$found" = "$python_tag $platform_tag" ] || fail \
    "this bundle is for $python_tag $platform_tag, and $python is $found; take the bundle for that, or another --python" \
    "此安装包适用于 $python_tag $platform_tag，而 $python 是 $found；请换用相符的安装包或 --python"
"$python" -c 'import ensurepip, venv' 2>/dev/null || fail \
    "$python cannot make virtual environments; install what brings venv and ensurepip (python$dotted-venv)" \
    "$python 不能建立虚拟环境；请安装含 venv 与 ensurepip 的软件包（python$dotted-venv）"

# 3. Words that a unit, a shell and the settings file all read alike.
for word in "$prefix" "$data" "$unit_dir" "$account"; do
    case $word in
        '' | *[!A-Za-z0-9._/@+-]*) fail "'$word': use letters, digits and . _ - / @ + only" \
            "$word：只能用字母、数字和 . _ - / @ +" ;;
    esac
done
case $database in
    *[\'\"\\\ ]* | *'
'*) fail "--database: write quotes, blanks and backslashes as %XX" "--database：引号、空格、反斜杠请写成 %XX" ;;
esac
# One spelling of a path: what is compared later (by the uninstaller too) is without // and / at the end.
absolute() {
    case $1 in /*) printf '%s\n' "$1" ;; *) printf '%s\n' "$OLDPWD/$1" ;; esac | sed 's|//*|/|g; s|\(.\)/$|\1|'
}
prefix=$(absolute "$prefix")
data=$(absolute "$data")
unit_dir=$(absolute "$unit_dir")
if [ "$(id -u)" != 0 ] && [ -n "$make_account$service" ]; then
    fail "Making the account and the service takes root; run as root, or add --no-account --no-service." \
        "建立账户与服务需要 root；请以 root 运行，或加上 --no-account --no-service。"
fi
[ -n "$make_account" ] || account=$(id -un)
# One name, one service: another installation's is never taken from under it.
if [ -n "$service" ] && [ -f "$unit_dir/dianku.service" ]; then
    served=$(sed -n 's|^ExecStart=\([^ ]*\).*|\1|p' "$unit_dir/dianku.service" | tail -n 1)
    if [ -e "$served" ] && ! [ "$served" -ef "$prefix/bin/dianku" ]; then
        fail "$unit_dir/dianku.service runs $served already; install beside it with --no-service and a unit of your own. Nothing was installed." \
            "$unit_dir/dianku.service 已在运行 $served；请加上 --no-service 并自备单元，装在它旁边。未安装任何东西。"
    fi
fi

# 4. One installation upgrades itself, with a backup and a way back; this only makes the first.
name="$edition-$version"
if [ -L "$prefix/current" ]; then
    running=$(basename "$(readlink "$prefix/current")")
    cmp -s SHA256SUMS "$prefix/current/SHA256SUMS" || fail \
        "$prefix runs $running; to change to $name: $prefix/bin/dianku edition upgrade $here" \
        "$prefix 正在运行 $running；换成 $name 请用：$prefix/bin/dianku edition upgrade $here"
    name=$running
fi
target="$prefix/versions/$name"

# 5. The environment. SHA256SUMS goes in last: without it, the folder was left half made.
if [ ! -f "$target/SHA256SUMS" ]; then
    rm -rf "$target"
    mkdir -p "$prefix/versions" "$prefix/plugins"
    trap 'rm -rf "$target"' EXIT
    trap 'exit 130' INT
    trap 'exit 143' TERM HUP
    say "Installing into $target" "正在安装到 $target"
    "$python" -m venv "$target"
    PIP_CONFIG_FILE=/dev/null "$target/bin/python" -m pip --isolated --disable-pip-version-check \
        install --quiet --no-index --no-cache-dir --find-links "$here/wheels" --require-hashes \
        --requirement "$here/requirements.txt" --root-user-action ignore
    "$target/bin/dianku" --version >/dev/null
    cp bundle.toml requirements.txt sbom.cdx.json "$target/"
    cp SHA256SUMS "$target/"
    trap - EXIT INT TERM HUP
fi

# 6. The account, the data, the settings.
if [ -n "$make_account" ] && ! id "$account" >/dev/null 2>&1; then
    useradd --system --user-group --home-dir "$data" --no-create-home --shell /usr/sbin/nologin "$account"
fi
[ -d "$data" ] || {
    mkdir -p "$data"
    chmod 0750 "$data"
    [ "$(id -u)" != 0 ] || chown "$account:" "$data"
}
if [ ! -f "$prefix/dianku.env" ]; then
    (
        umask 027
        printf 'DIANKU_DATA=%s\n' "$data"
        [ -z "$database" ] || printf 'DIANKU_DATABASE=%s\n' "$database"
    ) >"$prefix/dianku.env.part"
    chmod 0640 "$prefix/dianku.env.part"
    [ "$(id -u)" != 0 ] || chown "root:$(id -gn "$account")" "$prefix/dianku.env.part"
    mv "$prefix/dianku.env.part" "$prefix/dianku.env"
fi

# 7. The command, and which version it runs.
mkdir -p "$prefix/bin"
sed "s|/opt/dianku|$prefix|g" dianku.sh >"$prefix/bin/dianku.part"
chmod 0755 "$prefix/bin/dianku.part"
mv "$prefix/bin/dianku.part" "$prefix/bin/dianku"
cp uninstall.sh "$prefix/uninstall.sh"
if [ ! -L "$prefix/current" ]; then
    ln -s "versions/$name" "$prefix/current.part"
    mv "$prefix/current.part" "$prefix/current"
fi

# 8. The service.
if [ -n "$service" ]; then
    mkdir -p "$unit_dir"
    sed -e "s|/opt/dianku|$prefix|g" -e "s|/var/lib/dianku|$data|g" \
        -e "s|^User=.*|User=$account|" -e "s|^Group=.*|Group=$(id -gn "$account")|" \
        dianku.service >"$unit_dir/dianku.service.part"
    mv "$unit_dir/dianku.service.part" "$unit_dir/dianku.service"
    [ ! -d /run/systemd/system ] || systemctl daemon-reload
    say "Set up the shop, then start it:
    su -s /bin/sh $account -c '$prefix/bin/dianku init'
    systemctl enable --now dianku" \
        "请先建立店铺，再启动：
    su -s /bin/sh $account -c '$prefix/bin/dianku init'
    systemctl enable --now dianku"
else
    say "Set up the shop with $prefix/bin/dianku init, then run $prefix/bin/dianku serve" \
        "请用 $prefix/bin/dianku init 建立店铺，再运行 $prefix/bin/dianku serve"
fi
