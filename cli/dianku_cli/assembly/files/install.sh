#!/bin/sh
# Install Dianku, edition @EDITION@ @VERSION@, out of the folder this file lies in. No network is
# needed. What it makes: PREFIX/versions/@EDITION@-@VERSION@ (a virtual environment), PREFIX/current
# (which version runs), PREFIX/bin/dianku (the command), PREFIX/dianku.env (where the data is), and
# with root's rights the account and the service. Run again, it completes what is missing.
set -eu
umask 022
unset PYTHONPATH PYTHONHOME CDPATH
# Whoever became root by a plain `su` has no sbin, where useradd is.
PATH=${PATH:-/usr/local/bin:/usr/bin:/bin}:/usr/sbin:/sbin
export PATH

edition='@EDITION@'
version='@VERSION@'
python_tag='@PYTHON@'
platform_tag='@PLATFORM@'

prefix=/opt/dianku
data=
database=
python=
account=
account_said=
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
  --data DIR        where the shop's data goes (/var/lib/dianku)
  --database URL    postgresql://USER@HOST/NAME; without it, a file in the data folder
  --python PROGRAM  the Python to run it with
  --account NAME    the account that runs it (dianku); made if it is not there
  --no-account      make no account: whoever installs runs it
  --no-service      write no systemd unit
  --unit-dir DIR    where the unit goes ($unit_dir)" \
        "用法：sh install.sh [--prefix 目录] [--data 目录] [--database 地址] [--python 程序]
           [--account 账户] [--no-account] [--no-service] [--unit-dir 目录]
  --prefix    程序所在目录（$prefix）
  --data      店铺数据所在目录（/var/lib/dianku）
  --database  postgresql://用户@主机/库名；不给则用数据目录里的文件
  --python    用哪个 Python 运行
  --account   运行服务的账户（dianku），没有则建立
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
        --account) given "$1" $#; account=$2; account_said=yes; shift ;;
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
# Lines that are none are warned of and passed over by what compares: their files would go unseen.
none=$(LC_ALL=C grep -nvE '^[0-9a-f]{64}  [^ *].*$' SHA256SUMS) || true
[ -z "$none" ] || {
    printf 'SHA256SUMS:%s\n' "$none" >&2
    fail "The lines named above are not as they were built; fetch the bundle again. Nothing was installed." \
        "以上各行与制作时不符；请重新取得安装包。未安装任何东西。"
}
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
case $python in /*) ;; */*) python="$OLDPWD/$python" ;; esac
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
plain() {
    case $1 in
        '' | *[!A-Za-z0-9._/@+-]*) fail "'$1': use letters, digits and . _ - / @ + only" \
            "$1：只能用字母、数字和 . _ - / @ +" ;;
    esac
}
for word in "$prefix" "${data:=/var/lib/dianku}" "$unit_dir" "${account:=dianku}"; do plain "$word"; done
case $database in
    *[\'\"\\\ ]* | *'
'*) fail "--database: write quotes, blanks and backslashes as %XX" "--database：引号、空格、反斜杠请写成 %XX" ;;
esac
# One spelling of a path, from the root on: systemd takes no other, and others compare it later.
absolute() {
    "$python" -c 'import os, sys
found = os.path.abspath(os.path.join(*sys.argv[1:]))
os.write(1, os.fsencode("/" + found.lstrip("/")))' "$OLDPWD" "$1"
}
prefix=$(absolute "$prefix")
unit_dir=$(absolute "$unit_dir")
data=$(absolute "$data")
# One name, one service: another installation's is never taken from under it.
served=
if [ -n "$service" ] && [ -f "$unit_dir/dianku.service" ]; then
    served=$(sed -n 's|^ExecStart=\([^ ]*\).*|\1|p' "$unit_dir/dianku.service" | tail -n 1)
    if [ -e "$served" ] && ! [ "$served" -ef "$prefix/bin/dianku" ]; then
        fail "$unit_dir/dianku.service runs $served already; install beside it with --no-service and a unit of your own. Nothing was installed." \
            "$unit_dir/dianku.service 已在运行 $served；请加上 --no-service 并自备单元，装在它旁边。未安装任何东西。"
    fi
fi
# Run again, it goes by what the installation was made with.
if [ -f "$prefix/dianku.env" ]; then
    kept=$(sed -n 's/^DIANKU_DATA=//p' "$prefix/dianku.env" | tail -n 1)
    [ -z "$kept" ] || data=$kept
    if [ -z "$account_said" ] && [ -n "$served" ]; then
        account=$(sed -n 's/^User=//p' "$unit_dir/dianku.service" | tail -n 1)
    elif [ -z "$account_said" ] && [ -d "$data" ]; then
        account=$("$python" -c 'import pathlib, sys
print(pathlib.Path(sys.argv[1]).owner())' "$data" 2>/dev/null) || account=root
        [ "$account" != root ] || account=dianku
    fi
fi
for word in "$prefix" "$data" "$unit_dir" "$account"; do plain "$word"; done
case $data/ in
    "$prefix"/ | "$prefix"/versions/* | "$prefix"/plugins/* | "$prefix"/bin/*)
        fail "--data $data: there the program goes, and away again; choose another folder. Nothing was installed." \
            "--data $data：那是程序的位置，卸载时会删除；请换一个目录。未安装任何东西。" ;;
esac
if [ "$(id -u)" != 0 ] && [ -n "$make_account$service" ]; then
    fail "Making the account and the service takes root; run as root, or add --no-account --no-service." \
        "建立账户与服务需要 root；请以 root 运行，或加上 --no-account --no-service。"
fi
[ -n "$make_account" ] || account=$(id -un)
# Whether the account (nobody, while it is not there) may enter, or write, the nearest of a path
# that is there.
may() {
    "$python" -c 'import os, sys
user, group, groups, mode, path = sys.argv[1:]
while not os.path.lexists(path):
    path = os.path.dirname(path)
try:
    if os.getuid() == 0:
        os.setgroups([int(one) for one in groups.split()])
        os.setgid(int(group))
        os.setuid(int(user))
except OSError:
    sys.exit(0)  # a root that may be nobody else cannot ask
sys.exit(not os.access(path, os.X_OK | (os.W_OK if mode == "write" else 0)))' \
        "$(id -u "$account" 2>/dev/null || echo 65534)" "$(id -g "$account" 2>/dev/null || echo 65534)" \
        "$(id -G "$account" 2>/dev/null || echo 65534)" "$1" "$2"
}
binary=$("$python" -c 'import os, sys; print(os.path.realpath(getattr(sys, "_base_executable", sys.executable)))')
for path in "$binary" "$prefix"; do
    may enter "$path" || fail \
        "the account $account may not run what lies in $path; choose another --python or --prefix, or open the folders above it. Nothing was installed." \
        "账户 $account 无权运行 $path 中的程序；请换 --python 或 --prefix，或开放其上级目录。未安装任何东西。"
done

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
# One at a time, and not beside an upgrade. The lock is this process's and that of what it started:
# it ends with the last of them, also when they are killed.
mkdir -p "$prefix/versions" "$prefix/plugins"
exec 9>>"$prefix/versions/.upgrade.lock"
"$python" -c 'import fcntl, sys
try:
    fcntl.flock(9, fcntl.LOCK_EX | fcntl.LOCK_NB)
except BlockingIOError:
    sys.exit(1)' 9>&9 || fail \
    "another installation or upgrade of $prefix is under way; wait until it is done. Nothing was changed." \
    "$prefix 正在进行另一次安装或升级；请等它结束。未作任何改动。"

# 5. The environment. SHA256SUMS goes in last: without it, the folder was left half made.
if ! cmp -s SHA256SUMS "$target/SHA256SUMS"; then
    rm -rf "$target"
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
    cp SHA256SUMS "$target/SHA256SUMS.part"
    sync
    mv "$target/SHA256SUMS.part" "$target/SHA256SUMS"
    trap - EXIT INT TERM HUP
fi

# 6. The account, the data, the settings.
if [ -n "$make_account" ] && ! id "$account" >/dev/null 2>&1; then
    group=--user-group
    ! grep -q "^$account:" /etc/group || group="--gid=$account"
    useradd --system "$group" --home-dir "$data" --no-create-home --shell /usr/sbin/nologin "$account"
fi
mkdir -p "$(dirname "$data")"
[ -d "$data" ] || mkdir -m 0750 "$data"
# A folder made for it beforehand is handed over while nothing of anybody's is in it.
if ! may write "$data"; then
    if [ "$(id -u)" = 0 ] && [ -z "$(find "$data" -mindepth 1 -maxdepth 1 ! -name lost+found)" ]; then
        chown "$account:" "$data"
    fi
    may write "$data" || say "The account $account may not write in $data. See to it first, as by
    chown -R $account: $data" "账户 $account 无权写入 $data。请先处理，例如：
    chown -R $account: $data" >&2
fi
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
    rm -f "$prefix/current.part"
    ln -s "versions/$name" "$prefix/current.part"
    mv "$prefix/current.part" "$prefix/current"
fi

# 8. The service.
if [ -n "$service" ]; then
    mkdir -p "$unit_dir"
    sed -e 's|/opt/dianku|%prefix%|g' -e "s|/var/lib/dianku|$data|g" -e "s|%prefix%|$prefix|g" \
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
