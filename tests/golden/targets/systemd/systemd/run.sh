#!/bin/sh
# What systemd runs of the pipeline churn: `run.sh run`, with `-p NAME=VALUE` for a parameter; `run.sh alert` when that
# has failed. STORE says where results go, DATA where newer data files are: Environment= in a drop-in of the service.
set -u
home=$(CDPATH= cd -- "$(dirname -- "$0")/.." && pwd) && cd "$home" || exit 2
python=$home/.venv/bin/python
[ -x "$python" ] || python=python3
export PYTHONPATH="$home/src"
store=${STORE:-out}

say() {
  echo "churn: $*" >&2
}
for name in DATABASE_URL ALERT_URL; do
  file="$CREDENTIALS_DIRECTORY"/$name
  value=$(cat -- "$file" 2>/dev/null) || { say "secret $name: write it to $file"; exit 2; }
  export "$name=$value"
done

verb=$1
shift
case $verb in
  run) exec "$python" -m churn run --store "$store" --run "$INVOCATION_ID" ${DATA:+--data "$DATA"} "$@" ;;
  alert) exec "$python" -m churn alert --store "$store" --run "$MONITOR_INVOCATION_ID" --to "$1" ;;
esac
