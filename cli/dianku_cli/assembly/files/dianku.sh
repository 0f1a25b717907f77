#!/bin/sh
# The command `dianku` of the version that runs, with the settings of this installation. What the
# caller's own surroundings say goes first.
set -eu
unset PYTHONPATH PYTHONHOME
[ -r /opt/dianku/dianku.env ] || {
    echo "/opt/dianku/dianku.env is not for $(id -un) to read; run this as the shop's account, or root" >&2
    echo "$(id -un) 无权读取 /opt/dianku/dianku.env；请以店铺的账户或 root 运行" >&2
    exit 1
}
while IFS= read -r line; do
    case $line in
        DIANKU_DATA=*) export DIANKU_DATA="${DIANKU_DATA:-${line#*=}}" ;;
        DIANKU_DATABASE=*) export DIANKU_DATABASE="${DIANKU_DATABASE:-${line#*=}}" ;;
        DIANKU_EDITION=*) export DIANKU_EDITION="${DIANKU_EDITION:-${line#*=}}" ;;
        DIANKU_LANGUAGE=*) export DIANKU_LANGUAGE="${DIANKU_LANGUAGE:-${line#*=}}" ;;
    esac
done </opt/dianku/dianku.env
# By the version's own path, so that a server goes on with its own files while another is put in.
exec "$(readlink -f /opt/dianku/current)/bin/dianku" "$@"
