#!/bin/sh
# Runs the pipeline churn for cron. What goes wrong is printed, and cron mails it; all else is in cron/log.txt.
# By hand: sh cron/run.sh -p NAME=VALUE. STORE says where results go, DATA where newer data files are.
set -u
home=$(CDPATH= cd -- "$(dirname -- "$0")/.." && pwd) && cd "$home" || exit 2
python=$home/.venv/bin/python
[ -x "$python" ] || python=python3
export PYTHONPATH="$home/src"
log=$home/cron/log.txt
store=${STORE:-out}
run=$(date -u +%Y%m%dT%H%M%S)-$$
[ -f "$log" ] && [ "$(wc -c < "$log")" -gt 1000000 ] && mv -f "$log" "$log.1"

say() {
  echo "$(date -u +%Y-%m-%dT%H:%M:%SZ) churn: $*" | tee -a "$log" >&2
}
for name in DATABASE_URL ALERT_URL; do
  file="${SECRETS:-$HOME/.config/churn/secrets}"/$name
  value=$(cat -- "$file" 2>/dev/null) || { say "secret $name: write it to $file"; exit 2; }
  export "$name=$value"
done

alert() {
  "$python" -m churn alert --store "$store" --run "$run" --to ALERT_URL >> "$log" 2>&1 || say "the alert did not arrive"
}

if [ "${1-}" = --by-the-clock ]; then
  shift
  if [ "$(env -u TZ date +%z)" != +0000 ]; then  # as cron itself goes by it
    say "not started: the clock of this machine is not UTC, so cron fires at other times than are meant"
    alert
    exit 3
  fi
fi

command -v flock > /dev/null || { say "not started: flock is missing; it comes with util-linux"; exit 2; }
slot=0
while slot=$((slot + 1)); do
  if [ $slot -gt 1 ]; then
    say "not started: 1 under way already"
    exit 0
  fi
  exec 9> "$home/cron/lock.$slot"
  flock -n 9 && break
done

"$python" -m churn run --store "$store" --run "$run" ${DATA:+--data "$DATA"} "$@" >> "$log" 2>&1
code=$?
if [ $code -ne 0 ]; then
  say "run $run ended with exit code $code: see $log"
  alert
fi
exit $code
