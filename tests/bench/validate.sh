#!/usr/bin/env bash
# What `validate` costs beside the scan that it goes along with: a store of 1 GB, and one of many small entries, in turns with the scan alone.
#
#     tests/bench/validate.sh [--runs N] [--stores b,d] [--scanner NAME] [--tool FILE]
#
# The scan alone is that of tests/bench/scan.rs: in a process that already runs, the file opened and mapped anew. `validate` is the whole process,
# with what it says of the problems. Middle and least of the time on a processor (of one thread; where others use the machine, it says more) and
# of the time that passed; peaks are those of GNU time.
# Stores are made below $SESSIONS_DOCTOR_SHAPES or the target directory and stay there.
# Exit code 1 where `validate` takes more than 1.5 times its scan, or more memory than 8 MB a thread and 100 bytes an entry.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
# shellcheck source=tests/bench/common.sh
. "$here/common.sh"

runs=7 stores=b,d scanner=portable tool=''
grep -q -w sse2 /proc/cpuinfo && scanner=SSE2
grep -q -w avx2 /proc/cpuinfo && scanner=AVX2
while [ $# -gt 0 ]; do
    [ $# -ge 2 ] || die "$1 needs a value"
    case $1 in
        --runs) runs=$2 ;;
        --stores) stores=$2 ;;
        --scanner) scanner=$2 ;;
        --tool) tool=$2 ;;
        *) die "unknown option $1" ;;
    esac
    shift 2
done
cd "$root"
[ -n "$tool" ] || cargo build --quiet --release
tool=${tool:-${CARGO_TARGET_DIR:-$root/target}/release/sessions-doctor}
[ -x "$tool" ] || die "$tool is missing"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

bench() {
    cargo bench --quiet --bench scan -- "$@"
}

# Seconds of the scan of store $1 alone, by one thread (1) or by several (2); what else is given is an option of the benchmark.
scan() {
    local store=$1 threads=$2
    shift 2
    bench --stores "$store" --only "$scanner" --rounds 1 --record "$work/scan" "$@" >"$work/said" 2>&1 || die "$(cat "$work/said")"
    awk -F'\t' -v many="$threads" '($3 > 1) == (many > 1) { print $4 }' "$work/scan"
}

# Seconds that passed and seconds on a processor of one `validate`; problems are no failure.
validate() {
    local code=0 TIMEFORMAT='%R %U %S'
    { time "$tool" validate --json --now 2026-11-21T01:14:30Z "$@" >"$work/report" 2>"$work/said" </dev/null || code=$?; } 2>"$work/time"
    case $code in
        0 | 1 | 3) awk '{ print $1, $2 + $3 }' "$work/time" ;;
        *) die "validate: $(cat "$work/said")" ;;
    esac
}

# Smallest and middle of the numbers in a file.
both() {
    echo "$(sort -n "$1" | head -n 1) $(median <"$1")"
}

missed=0
verdict() {
    [ "$1" = PASS ] || missed=$((missed + 1))
    echo "$1  $2"
}

# A line: what, the file with the times of the scan, the one with those of `validate`. The proportion of the middles is judged.
row() {
    local least middle our_least our_middle line
    read -r least middle < <(both "$2")
    read -r our_least our_middle < <(both "$3")
    line=$(awk -v what="$1" -v a="$least" -v b="$middle" -v c="$our_least" -v d="$our_middle" 'BEGIN {
        printf "%s: scan %.3f s (least %.3f), validate %.3f s (least %.3f), %.2f times (of the least %.2f) <= 1.5", what, b, a, d, c, d / b, c / a }')
    verdict "$(awk -v a="$our_middle" -v b="$middle" 'BEGIN { print a <= 1.5 * b ? "PASS" : "FAIL" }')" "$line"
}

echo "load: $(cut -d' ' -f1-3 /proc/loadavg)"
for store in ${stores//,/ }; do
    file=$(bench --make --stores "$store")
    entries=$(wc -l <"${file%/state/agents/*}/expected.jsonl")
    # The first of each only warms up.
    scan "$store" 1 >"$work/said"
    validate "$file" >"$work/said"
    rm -f "$work"/times-*
    for ((round = 0; round < runs; round++)); do
        scan "$store" 1 --cpu >>"$work/times-cpu"
        validate --threads 1 "$file" | cut -d' ' -f2 >>"$work/times-our-cpu"
        scan "$store" 1 >>"$work/times-one"
        validate --threads 1 "$file" | cut -d' ' -f1 >>"$work/times-our-one"
        scan "$store" 2 >>"$work/times-many"
        validate "$file" | cut -d' ' -f1 >>"$work/times-our-many"
    done
    echo "$store: $(stat -c %s "$file") bytes, $entries entries, $runs rounds"
    row "one thread, on a processor" "$work/times-cpu" "$work/times-our-cpu"
    row "one thread" "$work/times-one" "$work/times-our-one"
    row "all cores" "$work/times-many" "$work/times-our-many"
    for threads in 1 2; do
        rss=$(peak "$tool" validate --json --now 2026-11-21T01:14:30Z --threads "$threads" "$file")
        [ -n "$rss" ] || { echo "SKIP  peak: GNU time is missing" && continue; }
        bound=$((8000 * threads + entries / 10))
        verdict "$([ "$rss" -le "$bound" ] && echo PASS || echo FAIL)" "peak, $threads threads: $rss <= $bound kB"
    done
done
echo "load: $(cut -d' ' -f1-3 /proc/loadavg)"
[ "$missed" -eq 0 ]
