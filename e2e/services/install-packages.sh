#!/usr/bin/env bash
# Installs the databases that `npm run test:stores` starts for itself, where this machine has none and may install packages:
# PostgreSQL 15, Redis 7, and what OpenSearch is set up with. Never fails: tests skip what is not there, and say so.
set -u
wanted=()
compgen -G '/usr/lib/postgresql/*/bin/postgres' > /dev/null || command -v postgres > /dev/null || wanted+=(postgresql-15)
command -v redis-server > /dev/null || wanted+=(redis-server)
command -v mvn > /dev/null || wanted+=(maven)
command -v javac > /dev/null || wanted+=(default-jdk-headless)
python3 -m pip --version > /dev/null 2>&1 || wanted+=(python3-pip)
[ ${#wanted[@]} = 0 ] && exit 0
if [ "$(id -u)" != 0 ] || ! command -v apt-get > /dev/null; then
  echo "can't install ${wanted[*]}: not root, or no apt-get" >&2
  exit 0
fi
# At this run level packages start no servers of their own.
export RUNLEVEL=1 DEBIAN_FRONTEND=noninteractive
timeout 120 apt-get update -qq
for package in "${wanted[@]}"; do
  timeout 300 apt-get install -y -qq --no-install-recommends "$package" || echo "can't install $package" >&2
done
exit 0
