#!/bin/sh
# Remove an installation of Dianku: the service, the versions and the command. The shop's data and
# the account that owns it stay, and it is said where they are.
set -eu
unset CDPATH

prefix=$(cd "$(dirname "$0")" && pwd -P)
[ -f "$prefix/dianku.env" ] || prefix=/opt/dianku
unit_dir=/etc/systemd/system
case ${LC_ALL:-${LC_MESSAGES:-${LANG:-}}} in
    zh*) chinese=yes ;;
    *) chinese= ;;
esac
say() { if [ -n "$chinese" ]; then printf '%s\n' "$2"; else printf '%s\n' "$1"; fi; }
fail() { say "$1" "$2" >&2; exit 1; }
while [ $# -gt 0 ]; do
    case $1 in
        --prefix) prefix=${2:?}; shift ;;
        --unit-dir) unit_dir=${2:?}; shift ;;
        *)
            say "usage: sh uninstall.sh [--prefix DIR] [--unit-dir DIR]" \
                "用法：sh uninstall.sh [--prefix 目录] [--unit-dir 目录]" >&2
            exit 2
            ;;
    esac
    shift
done
# Also one that a removal before left half there: these files go last.
if [ ! -f "$prefix/dianku.env" ] || { [ ! -L "$prefix/current" ] && [ ! -f "$prefix/uninstall.sh" ]; }; then
    fail "$prefix is no installation of Dianku; name it with --prefix. Nothing was removed." \
        "$prefix 不是店库的安装目录；请用 --prefix 指明。未删除任何东西。"
fi
prefix=$(cd "$prefix" && pwd -P)
data=$(sed -n 's/^DIANKU_DATA=//p' "$prefix/dianku.env")
database=$(sed -n 's/^DIANKU_DATABASE=//p' "$prefix/dianku.env")
# A password in the address is nobody's business on a screen.
database=$(printf '%s' "$database" | sed 's|//\([^:@/]*\):[^@/]*@|//\1:***@|')
case $(cd "$data" 2>/dev/null && pwd -P || printf '%s' "$data")/ in
    "$prefix"/versions/* | "$prefix"/plugins/* | "$prefix"/bin/*)
        fail "the data lies in $data, among what would be removed; move it first. Nothing was removed." \
            "数据位于 $data，会被一并删除；请先移走。未删除任何东西。" ;;
esac

# The same program, however its path is spelled: through a link, or with a slash too many.
served=$(sed -n 's|^ExecStart=\([^ ]*\).*|\1|p' "$unit_dir/dianku.service" 2>/dev/null | tail -n 1) || true
if [ -n "$served" ] && [ "$served" -ef "$prefix/bin/dianku" ]; then
    if [ -d /run/systemd/system ]; then
        systemctl disable --now dianku.service || true
    fi
    rm -f "$unit_dir/dianku.service"
    [ ! -d /run/systemd/system ] || systemctl daemon-reload
fi
rm -rf "${prefix:?}/versions" "${prefix:?}/plugins" "${prefix:?}/bin"
rm -f "$prefix"/.current-* "$prefix"/*.part
rm -f "$prefix/current" "$prefix/uninstall.sh" "$prefix/dianku.env"
rmdir "$prefix" 2>/dev/null || true
say "Removed. The data stays in $data${database:+ and in $database}." \
    "已卸载。数据保留在 $data${database:+ 及 $database}。"
