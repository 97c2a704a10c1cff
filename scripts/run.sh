#!/usr/bin/env bash
# The newcomer's command: sets the machine up, builds release, runs the smoke set (about a minute of torture) and says
# where the report is. Arguments go to `srcutorture run`, as in: scripts/run.sh --flavor urcu-qsbr --duration 10m
set -euo pipefail
# Files are where the caller stands.
words=() named=
for word in "$@"; do
  case $named:$word in
    :--out=[!/]* | :--plugin=[!/]*) word=${word%%=*}=$PWD/${word#*=} ;;
    :*) ;;
    *:[!/]*) word=$PWD/$word ;;
  esac
  words+=("$word")
  named=
  case $word in --out | --plugin) named=$word ;; esac
done
cd "$(dirname "${BASH_SOURCE[0]}")/.."
source scripts/lib/setup.sh

install_missing
build release -- srcutorture
# The status of the torture is the status of this script, but the report comes first.
status=0 before=$(readlink results/latest || true)
build/release/srcutorture run "${words[@]}" || status=$?
# With --out or --dry-run the latest one is another run's.
if [[ $(readlink results/latest || true) != "$before" && -e results/latest/report.html ]]; then
  say "report: $(readlink -f results/latest)/report.html"
fi
exit "$status"
