#!/usr/bin/env bash
# A store of 185 MB that was cut at 150 MB: `recover` against jsonrepair, whole processes in turns, medians.
#
#     cargo build --release
#     tests/bench/recover.sh [--runs N] [--tool FILE] [--node FILE] [--jsonrepair DIR]
#
# DIR is the directory of the npm package; where there is none, its row is missing. `recover` syncs what it writes, jsonrepair does not. What
# comes back is compared, to the byte, with every entry that ends before the cut.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
# shellcheck source=tests/bench/common.sh
. "$here/common.sh"

runs=3 tool=${CARGO_TARGET_DIR:-$root/target}/release/sessions-doctor node=node jsonrepair='' cut=150000000
while [ $# -gt 0 ]; do
    [ $# -ge 2 ] || die "$1 needs a value"
    case $1 in
        --runs) runs=$2 ;;
        --tool) tool=$2 ;;
        --node) node=$2 ;;
        --jsonrepair) jsonrepair=$(cd "$2" && pwd) ;;
        *) die "unknown option $1" ;;
    esac
    shift 2
done
[ -x "$tool" ] || die "$tool is missing: cargo build --release"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

make_state "$work/made" --transcripts none
store=$work/made/state/agents/main/sessions/sessions.json
cp --reflink=auto "$store" "$work/whole.json"
truncate --size "$cut" "$store"
# All that ends before the cut, and the brace of the root: "  }" alone on its line is the end of an entry.
end=$(grep --byte-offset '^  },$' "$store" | tail -n 1 | cut -d : -f 1)
{ head -c $((end + 3)) "$work/whole.json" && printf '\n}'; } >"$work/expected.json"

ours=("$tool" recover --quiet --state-dir "$work/made/state" --now 2026-11-21T01:14:30Z --gateway stopped --output "$work/ours.json")
cat >"$work/repair.mjs" <<JS
import fs from 'node:fs';
import { jsonrepair } from '$jsonrepair/lib/esm/index.js';
fs.writeFileSync('$work/theirs.json', jsonrepair(fs.readFileSync('$store', 'utf8')));
JS
theirs=("$node" --max-old-space-size=12000 "$work/repair.mjs")

our_times='' their_times=''
for ((round = 0; round < runs; round++)); do
    rm -f "$work/ours.json"
    # What others have written and not synced yet is not ours to pay for.
    sync
    our_times+="$(timed "${ours[@]}") " || die "recover failed: $(tail -n 1 "$work/said")"
    cmp "$work/ours.json" "$work/expected.json" || die "recover wrote other bytes than what ends before the cut"
    if [ -n "$jsonrepair" ]; then
        their_times+="$(timed "${theirs[@]}") " || die "jsonrepair failed: $(tail -n 1 "$work/said")"
    fi
done
our=$(tr ' ' '\n' <<<"$our_times" | grep . | median)
rm -f "$work/ours.json"
echo "$(sed -n 's/^model name\s*: //p' /proc/cpuinfo | head -n 1), $(nproc) cores, $(date -u +%F), load $(cut -d ' ' -f 1 /proc/loadavg); $cut bytes, $runs runs each"
echo "recover --output: $(seconds "$our") s, $(peak "${ours[@]}") kB"
if [ -n "$jsonrepair" ]; then
    their=$(tr ' ' '\n' <<<"$their_times" | grep . | median)
    version=$(sed -n 's/^ *"version": "\(.*\)",*$/\1/p' "$jsonrepair/package.json")
    echo "jsonrepair $version, node $("$node" --version): $(seconds "$their") s, $(peak "${theirs[@]}") kB, $(awk "BEGIN { printf \"%.0f\", $their / $our }") times"
else
    echo "jsonrepair: missing"
fi
