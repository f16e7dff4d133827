#!/usr/bin/env bash
# Exim for the tests in test/peers/. Debian's package cannot be installed beside Postfix, so its files are unpacked into
# a cache folder, the libraries they need are installed, and the account that the program looks up is made. Nothing is
# configured and nothing is started.
set -euo pipefail

# Where every account may run it: Exim delivers as one of its own.
folder=/var/cache/waybill-peers
if [ "${1:-}" = --where ]; then echo "$folder"; exit; fi

as_root() { if [ "$(id -u)" = 0 ]; then "$@"; else sudo -n "$@"; fi; }

libraries() {
  apt-cache depends exim4-daemon-light | sed -n 's/^ *\(Pre\)\{0,1\}Depends: \(lib[^ <]*\)$/\2/p'
}

downloads=$(mktemp -d)
trap 'rm -rf "$downloads"' EXIT
chmod 755 "$downloads"
(cd "$downloads" && apt-get download -q exim4-daemon-light exim4-base)
as_root mkdir -p "$folder"
for package in "$downloads"/*.deb; do as_root dpkg-deb -x "$package" "$folder"; done
# shellcheck disable=SC2046
as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends --no-upgrade $(libraries)
getent passwd Debian-exim >/dev/null ||
  as_root useradd --badname --system --user-group --no-create-home --shell /usr/sbin/nologin Debian-exim
# With no configuration it tells its version and fails; with an empty one it does not.
"$folder/usr/sbin/exim4" -C /dev/null -bV 2>&1 | grep '^Exim version'
