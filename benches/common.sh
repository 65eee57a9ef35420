# What the scripts of this folder share; sourced by them with the number of lines in $1.
lines=${1:-2600000}
cargo build --release --locked --quiet
cargo build --release --locked --quiet --example generate
target=${CARGO_TARGET_DIR:-target}
stellar=$target/release/stellar

# generated NAME DAYS: a file of web events, made unless it is there, and read once. Sets data.
generated() {
    data=$target/bench-$1.jsonl
    [ -f "$data" ] && [ "$(wc -l <"$data")" = "$lines" ] ||
        "$target/release/examples/generate" --kind web --count "$lines" --days "$2" -o "$data"
    cat "$data" >/dev/null
}
