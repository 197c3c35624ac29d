#!/bin/sh
# Installs the interpreters that TestLanguages runs and that are missing. What
# cannot be installed is named, and its tests are skipped.
want=
python3 -c '' 2>/dev/null || want="$want python3"
command -v node >/dev/null || want="$want nodejs"
command -v javac >/dev/null || want="$want default-jdk-headless"
[ -n "$want" ] || exit 0
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
	apt-get update -qq && apt-get install -y -qq --no-install-recommends $want || echo "not installed:$want; their tests are skipped"
else
	echo "for the tests of all languages install:$want (packages of Debian); without them those are skipped"
fi
