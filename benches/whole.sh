#!/usr/bin/env bash
# Times whole processes: start-up, and filter over a generated file with one thread and with two.
# usage: benches/whole.sh [LINES]   (2,600,000 lines make one gigabyte)
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=common.sh
source benches/common.sh
generated web 7
bytes=$(stat -c %s "$data")

# best NAME COMMAND…: seconds and kilobytes of the best of seven runs.
best() {
    local name=$1 runs i
    shift
    runs=$(for i in 1 2 3 4 5 6 7; do /usr/bin/time -f '%e %U %S %M' "$@" 2>&1 >/dev/null | tail -1; done | sort -n | head -1)
    awk -v name="$name" -v bytes="$bytes" -v run="$runs" 'BEGIN {
        split(run, r, " ");
        printf "%-34s %6.3f s  (user %.2f, system %.2f)  %6.1f MB memory", name, r[1], r[2], r[3], r[4] / 1024;
        if (name ~ /^filter|^map/) printf "  %5.0f MB/s", bytes / 1e6 / (r[1] > 0 ? r[1] : 0.001);
        print "" }'
}

expression="status >= 400 and protocol in ['HTTP','HTTPS']"
best "start: eval 1+1" "$stellar" eval '1+1'
best "filter, one thread" "$stellar" filter "$expression" "$data" --threads 1
best "filter, two threads" "$stellar" filter "$expression" "$data" --threads 2
best "filter --count, two threads" "$stellar" filter "$expression" "$data" --threads 2 --count
best "map two fields, two threads" "$stellar" map -e "u=user" -e "b=bytes_in + bytes_out" "$data" --threads 2
best "filter with _, two threads" "$stellar" filter "MAP_EXISTS('status', _) and status >= 400" "$data" --threads 2
