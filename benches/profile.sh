#!/usr/bin/env bash
# Profiles an archive (statistics by user, a counter by address) into the embedded store, with one thread and with two, and
# with hardly any memory; beside it what reading alone takes.
# usage: benches/profile.sh [LINES]   (2,600,000 lines make one gigabyte)
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=common.sh
source benches/common.sh
generated profile 1
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cat >"$folder/profiler.json" <<'END'
{ "timestampField": "timestamp",
  "profiles": [
    { "profile": "bytes-by-user", "foreach": "user", "onlyif": "user != null",
      "init": { "s": "STATS_INIT()" }, "update": { "s": "STATS_ADD(s, bytes_in)" }, "result": "s" },
    { "profile": "errors-by-address", "foreach": "src_ip", "onlyif": "status >= 400",
      "init": { "n": "0" }, "update": { "n": "n + 1" }, "result": "n" } ] }
END

# best NAME COMMAND…: the best of five runs, each into a new file.
best() {
    local name=$1 runs i
    shift
    runs=$(for i in 1 2 3 4 5; do
        rm -f "$folder"/s.db*
        /usr/bin/time -f '%e %U %S %M' "$@" 2>&1 >/dev/null | tail -1
    done | sort -n | head -1)
    awk -v name="$name" -v lines="$lines" -v run="$runs" 'BEGIN {
        split(run, r, " ");
        printf "%-30s %6.3f s  (user %.2f, system %.2f)  %6.1f MB memory  %8.0f events/s\n", name, r[1], r[2], r[3],
            r[4] / 1024, lines / (r[1] > 0 ? r[1] : 0.001) }'
}

profile=("$stellar" --set "store.path=$folder/s.db" profile apply -c "$folder/profiler.json" "$data")
best "reading alone (filter --count)" "$stellar" filter "status == 1" "$data" --count
best "profiled, two threads" "${profile[@]}" --threads 2
best "profiled, one thread" "${profile[@]}" --threads 1
best "profiled, 1 MiB of memory" "${profile[@]}" --threads 2 --memory 1MiB
