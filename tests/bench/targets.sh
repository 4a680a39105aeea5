#!/usr/bin/env bash
# Every line of the targets of docs/performance.md, measured in one run: PASS or FAIL, with the figures.
#
#     tests/bench/targets.sh [--runs N] [--large] [options of compare.sh]
#
# --large takes the store of 4 GB as well. Stores are made below $SESSIONS_DOCTOR_SHAPES or the target directory and stay there.
# Exit code 1 where a target is missed.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
# shellcheck source=tests/bench/common.sh
. "$here/common.sh"

runs=11 large='' rest=()
while [ $# -gt 0 ]; do
    case $1 in
        --runs) runs=$2 && shift 2 ;;
        --large) large=1 && shift ;;
        *) rest+=("$1") && shift ;;
    esac
done
cd "$root"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cargo build --quiet --release
tool=${CARGO_TARGET_DIR:-$root/target}/release/sessions-doctor

missed=0
# A line: what, the figure, at least (>=) or at most (<=), the target.
target() {
    local what=$1 figure=$2 relation=$3 bound=$4 unit=$5 verdict
    verdict=$(awk -v a="$figure" -v b="$bound" -v r="$relation" 'BEGIN { print ((r == ">=" && a >= b) || (r == "<=" && a <= b)) ? "PASS" : "FAIL" }')
    [ "$verdict" = PASS ] || missed=$((missed + 1))
    echo "$verdict  $what: $figure $relation $bound $unit" >>"$work/verdicts"
}
skip() { echo "SKIP  $*" >>"$work/verdicts"; }
calc() { awk "BEGIN { printf \"%.3f\", $1 }"; }

cargo bench --quiet --bench scan -- --stores a,d,e,f --rounds "$runs" --record "$work/scan"
# Column $3 of the fastest of our rows for store $1 with one thread (1) or with several (2); nothing where there is none.
fastest() {
    awk -F'\t' -v store="$1" -v many="$2" -v column="$3" '
        $1 == store && $3 > 0 && ($3 > 1) == (many > 1) && $5 > best { best = $5; value = $column }
        END { print value }' "$work/scan"
}
while read -r store bound; do
    target "scan of $store, one thread" "$(fastest "$store" 1 5)" '>=' "$bound" GB/s
done <<<$'a 2.4\nd 1.5\ne 2.2'
for store in a d e f; do
    target "scan of $store, one thread, to serde_json IgnoredAny" "$(fastest "$store" 1 6)" '>=' 1.0 times
done
for store in a d e f; do
    many=$(fastest "$store" 2 5)
    if [ -n "$many" ]; then
        target "scan of $store, all cores to one thread" "$(calc "$many / $(fastest "$store" 1 5)")" '>=' 1.8 times
    else
        skip "scan of $store, all cores: no scanner uses more than one thread"
    fi
done

# The state directory of a shared store.
state_of() {
    local file
    file=$(cargo bench --quiet --bench scan -- --make --stores "$1")
    echo "${file%/agents/*}"
}
common=(--now 2026-11-21T01:14:30Z --gateway stopped)
a=$(state_of a)
ones='' manys=''
for ((round = 0; round <= runs; round++)); do
    one=$(timed "$tool" check --state-dir "$a" "${common[@]}" --threads 1) || die "check failed: $(tail -n 1 "$work/said")"
    many=$(timed "$tool" check --state-dir "$a" "${common[@]}") || die "check failed: $(tail -n 1 "$work/said")"
    if [ "$round" -gt 0 ]; then ones+="$one " manys+="$many "; fi
done
one=$(tr ' ' '\n' <<<"$ones" | grep . | median) many=$(tr ' ' '\n' <<<"$manys" | grep . | median)
scan_one=$(fastest a 1 4) scan_many=$(fastest a 2 4)
scan_many=${scan_many:-$scan_one}
target "check of a, one thread (its scan: $scan_one s)" "$(seconds "$one")" '<=' "$(calc "1.3 * $scan_one + 0.015")" s
target "check of a, all cores (its scan: $scan_many s)" "$(seconds "$many")" '<=' "$(calc "1.3 * $scan_many + 0.015")" s

echo
"$here/compare.sh" --tool "$tool" --ratios "$work/ratios" ${rest[@]+"${rest[@]}"}
of() { awk -F'\t' -v name="$1" -v column="$2" 'index($1, name) == 1 { print $column; exit }' "$work/ratios"; }
prune=$(of 'sessions-doctor prune' 3) syncs=$(of syncs 3)
target "prune --apply keeping 0.2 % (fsyncs: $(seconds "${syncs:-0}") s)" "$(seconds "$prune")" '<=' \
    "$(calc "1.3 * $scan_many + 0.025 + ${syncs:-0} / 1e6")" s
while read -r bound name; do
    ratio=$(of "$name" 2)
    if [ -n "$ratio" ]; then
        target "prune --apply to $name $(of "$name" 4)" "$ratio" '>=' "$bound" times
    else
        skip "prune --apply to $name: it is not here"
    fi
done <<<$'9 node: parse\n18 python json\n30 jq\n100 openclaw'

# Entries by store, as tests/generate/shapes.rs has them.
while read -r store entries; do
    [ "$store" != c ] || [ -n "$large" ] || continue
    state=$(state_of "$store")
    for threads in 1 2; do
        rss=$(peak "$tool" check --state-dir "$state" "${common[@]}" --threads "$threads")
        if [ -n "$rss" ]; then
            target "peak RSS of check on $store, $threads threads" "$(calc "$rss / 1000")" '<=' "$(calc "8 * $threads + $entries / 1e4")" MB
        else
            skip "peak RSS of check on $store: GNU time is missing"
        fi
    done
done <<<$'a 6539\nb 35000\nc 140000\nd 334538'

echo
cat "$work/verdicts"
echo "$missed missed"
[ "$missed" -eq 0 ]
