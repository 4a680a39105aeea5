#!/usr/bin/env bash
# The whole command against other ways to do the job: drop all but a few entries of a store of 185 MB, and write it.
#
#     cargo build --release
#     tests/bench/compare.sh [--runs N] [--dir DIR] [--tool FILE] [--node FILE] [--python FILE] [--jq FILE] [--openclaw FILE] [--ratios FILE]
#
# The store is a generated one: 6,539 records of one cron job (28 KB each, indented), of which `prune` keeps 0.2 to 0.3 %. The peers are
# told which: they get the pruned store, take its keys, and write the same entries to another file; no peer syncs what it writes, and
# `prune --apply` does. A peer that is missing is named as missing. In turns, so that drift of the machine hits all alike; medians.
# DIR keeps the generated store for the next time. --ratios writes name, ratio, microseconds and
# version of each, for targets.sh.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
# shellcheck source=tests/bench/common.sh
. "$here/common.sh"

runs=5 dir='' tool=${CARGO_TARGET_DIR:-$root/target}/release/sessions-doctor
node=node python=python3 jq=jq openclaw=openclaw ratios=/dev/null
while [ $# -gt 0 ]; do
    [ $# -ge 2 ] || die "$1 needs a value"
    case $1 in
        --runs) runs=$2 ;;
        --dir) dir=$2 ;;
        --tool) tool=$2 ;;
        --node) node=$2 ;;
        --python) python=$2 ;;
        --jq) jq=$2 ;;
        --openclaw) openclaw=$2 ;;
        --ratios) ratios=$2 ;;
        *) die "unknown option $1" ;;
    esac
    shift 2
done
[ -x "$tool" ] || die "$tool is missing: cargo build --release"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
[ -n "$dir" ] || dir=$work

# Times of the present, so that OpenClaw, which knows no other, finds them young.
present=$(date -u +%Y-%m-%dT%H:%M:%SZ)
make_state "$dir/cron" --shape slow-none --entries 6539 --transcripts none --now "$present"
original=$work/original.json keep=$work/keep.json
state=$dir/cron/state store=$dir/cron/state/agents/main/sessions/sessions.json
cp --reflink=auto "$store" "$original"
now=$(sed -n 's/^ *"updatedAt": *\([0-9]*\),*$/\1/p' "$store" | sort -n | tail -n 1)
ours=(--state-dir "$state" --now "$now" --gateway stopped)
limits=(--run-retention 45m --grace 0s)
"$tool" prune "${ours[@]}" "${limits[@]}" --output "$keep" >"$work/said" 2>&1 || true
[ -s "$keep" ] || die "prune --output wrote nothing: $(tail -n 1 "$work/said")"
kept=$(grep -c '^  "' "$keep")

# Names of the peers in order, the command of each, its version, what is compared with our result.
names=() ; declare -A version=() missing=() times=() peaks=() wrote=()
add() {
    local name=$1 found=$2
    names+=("$name")
    version[$name]=$found
    [ -n "$found" ] || missing[$name]=1
}
add 'sessions-doctor check' "$("$tool" --version | awk '{ print $2 }')"
add 'sessions-doctor prune --apply' "$("$tool" --version | awk '{ print $2 }')"
add 'node: parse, filter, stringify' "$("$node" --version 2>/dev/null || true)"
add 'node, with structuredClone' "$("$node" --version 2>/dev/null || true)"
add 'python json' "$("$python" -c 'import sys; print(sys.version.split()[0])' 2>/dev/null || true)"
add 'python orjson' "$("$python" -c 'import orjson; print(orjson.__version__)' 2>/dev/null || true)"
add 'jq' "$("$jq" --version 2>/dev/null || true)"
add 'openclaw sessions cleanup' "$("$openclaw" --version 2>/dev/null | grep -o '[0-9][0-9.]*[0-9]' | head -n 1 || true)"

run_jq() { "$jq" --slurpfile keep "$keep" -f "$here/peers/filter.jq" "$store" >"$work/out"; }
export -f run_jq
export jq keep here store work

# The command of a peer, in the array `command`.
command_of() {
    case $1 in
        'sessions-doctor check') command=("$tool" check "${ours[@]}") ;;
        'sessions-doctor prune --apply') command=("$tool" prune --apply "${ours[@]}" "${limits[@]}") ;;
        'node: parse, filter, stringify') command=("$node" "$here/peers/node-filter.mjs" "$store" "$keep" "$work/out") ;;
        'node, with structuredClone') command=("$node" "$here/peers/node-clone.mjs" "$store" "$keep" "$work/out") ;;
        'python json') command=("$python" "$here/peers/python-json.py" "$store" "$keep" "$work/out") ;;
        'python orjson') command=("$python" "$here/peers/python-orjson.py" "$store" "$keep" "$work/out") ;;
        jq) command=(bash -c run_jq) ;;
        'openclaw sessions cleanup') command=(bash "$here/peers/openclaw.sh" "$openclaw" "$state" "$kept") ;;
    esac
}

# Everybody begins with the same store, in the page cache.
prepare() {
    rm -f "$work/out" "$state/openclaw.json"
    put_back "$state" "$original"
}

for ((round = 0; round <= runs; round++)); do
    for name in "${names[@]}"; do
        [ -z "${missing[$name]:-}" ] || continue
        command_of "$name"
        prepare
        if [ "$round" -eq 0 ]; then
            # The first round warms up, and measures memory.
            peaks[$name]=$(peak "${command[@]}")
            case $name in
                *check) wrote[$name]='' ;;
                *--apply | openclaw*) cp --reflink=auto "$store" "$work/out" ;;
            esac
            [ "$name" = 'sessions-doctor check' ] && continue
            if cmp -s "$work/out" "$keep"; then
                wrote[$name]='the same bytes'
            elif [ -s "$work/out" ]; then
                wrote[$name]="other bytes, $(grep -c '^  "' "$work/out" || true) entries"
            else
                wrote[$name]='nothing'
            fi
        elif taken=$(timed "${command[@]}"); then
            times[$name]+="$taken "
        else
            wrote[$name]="failed: $(tail -n 1 "$work/said" | cut -c 1-60)"
            missing[$name]=1
        fi
    done
done

command_of 'sessions-doctor prune --apply'
syncs=''
for ((round = 0; round < 3; round++)); do
    prepare
    syncs+="$(synced "${command[@]}") "
done
syncs=$(tr ' ' '\n' <<<"$syncs" | grep . | median || true)
prepare

mine=$(tr ' ' '\n' <<<"${times['sessions-doctor prune --apply']}" | grep . | median)
printf '%s, %s cores, %s; %s; %s bytes, %s of 6,539 entries kept; %s runs each.\n\n' \
    "$(sed -n 's/^model name[[:space:]]*: //p' /proc/cpuinfo | head -n 1)" "$(nproc)" "Linux $(uname -r)" "${present%T*}, load $(cut -d ' ' -f 1 /proc/loadavg)" "$(stat -c %s "$original")" "$kept" "$runs"
echo '| | version | median | slowest | times ours | peak RSS | wrote |'
echo '|---|---|---|---|---|---|---|'
: >"$ratios"
for name in "${names[@]}"; do
    if [ -z "${times[$name]:-}" ]; then
        echo "| $name | ${version[$name]:-missing} | - | - | - | - | ${wrote[$name]:-} |"
        continue
    fi
    middle=$(tr ' ' '\n' <<<"${times[$name]}" | grep . | median)
    slowest=$(tr ' ' '\n' <<<"${times[$name]}" | grep . | sort -n | tail -n 1)
    ratio=$(awk -v a="$middle" -v b="$mine" 'BEGIN { printf "%.1f", a / b }')
    rss=$(awk -v kb="${peaks[$name]:-0}" 'BEGIN { if (kb > 0) printf "%.1f MB", kb / 1000; else printf "-" }')
    echo "| $name | ${version[$name]} | $(seconds "$middle") s | $(seconds "$slowest") s | $ratio | $rss | ${wrote[$name]:-} |"
    echo "$name	$ratio	$middle	${version[$name]}" >>"$ratios"
done
echo
if [ -n "$syncs" ]; then
    echo "Of prune --apply, fsync and fdatasync take $(seconds "$syncs") s (strace -f -T, median of three runs of their own)."
    echo "syncs	0	$syncs	" >>"$ratios"
else
    echo "strace is missing: what prune --apply spends in fsync is not known."
fi
