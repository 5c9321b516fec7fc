#!/bin/sh
# Installs what the whole test run needs besides Python packages: Chromium, PostgreSQL with PostGIS, a Chinese font.
# Does nothing where they are there already; says what is missing where it may not install.
set -eu

missing=""
[ -x /usr/bin/chromium ] || missing="$missing chromium"
ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || missing="$missing postgresql"
ls /usr/share/postgresql/*/extension/postgis.control >/dev/null 2>&1 || missing="$missing postgis"
[ -d /usr/share/fonts/opentype/noto ] || missing="$missing font"
command -v pdffonts >/dev/null 2>&1 || missing="$missing poppler-utils"
[ -n "$missing" ] || exit 0

if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
    echo "Installing for the tests:$missing"
    export DEBIAN_FRONTEND=noninteractive
    apt-get update -qq
    apt-get install -y -qq --no-install-recommends chromium fonts-noto-cjk poppler-utils postgresql postgresql-15-postgis-3 >/dev/null
else
    echo "NOT INSTALLED:$missing - the tests that need them will be skipped (install chromium, postgresql with postgis, fonts-noto-cjk)."
fi
