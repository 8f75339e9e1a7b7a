#!/bin/bash
# Writes a root file system to standard output that plays python:3.11.15-slim-trixie, of Debian's packages and of the Python
# given: base.sh FOLDER PREFIX. It finds the registries as this machine does.
set -euo pipefail
root=$1 prefix=$2 version=3.11
packages=ca-certificates,libssl3t64,libffi8,libsqlite3-0,zlib1g,liblzma5,libbz2-1.0,libreadline8t64,libncursesw6,libuuid1,libexpat1
debootstrap --variant=minbase --include=$packages trixie "$root" >&2
mkdir -p "$root/usr/local/lib/python$version/site-packages" "$root/opt" "$root/etc/xdg"
cp -a "$prefix/bin/python$version" "$root/usr/local/bin/"
cp -a "$prefix"/lib/libpython3* "$root/usr/local/lib/" 2>/dev/null || true      # of one that is built with --enable-shared
tar -C "$prefix/lib" --exclude=site-packages --exclude=__pycache__ --exclude="python$version/test" -c "python$version" \
  | tar -C "$root/usr/local/lib" -x
for name in python python3; do ln -sf "python$version" "$root/usr/local/bin/$name"; done
for file in /etc/pip.conf /etc/xdg/pip /opt/wheels; do [ ! -e $file ] || cp -a $file "$root$file"; done
cp /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs/"
chroot "$root" ldconfig
chroot "$root" "/usr/local/bin/python$version" -m ensurepip >&2
rm -rf "$root"/var/cache/apt/archives/*.deb
tar -C "$root" -c .
