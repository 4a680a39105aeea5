#!/usr/bin/env bash
# What `guard` costs: 1,000 starts on a store of 185 MB, half of them with a new record between; and one on a healthy store of 1 GB.
#
#     tests/bench/guard.sh [STARTS]
#
# Prints the first start, the middle and the slowest of those at which nothing changed and of those with a new record, what the records
# take, and the peak of the large store. The program is that of the release build, or $SESSIONS_DOCTOR_TOOL.
# Stores are made below $SESSIONS_DOCTOR_SHAPES or the target directory and stay there.
# Exit code 1 where the first backup is gone, records pile up, or a start at which nothing changed takes 10 ms.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
# shellcheck source=tests/bench/common.sh
. "$here/common.sh"
starts=${1:-1000}
cd "$root"
tool=${SESSIONS_DOCTOR_TOOL:-${CARGO_TARGET_DIR:-$root/target}/release/sessions-doctor}
[ -x "$tool" ] || cargo build --quiet --release
shapes=${SESSIONS_DOCTOR_SHAPES:-${CARGO_TARGET_DIR:-$root/target}/shapes}
mkdir -p "$shapes"
now=2026-11-21T01:14:30Z
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# Microseconds that one start takes.
start() {
    local began ended
    began=$(date +%s%N)
    "$tool" guard --state-dir "$1" --now "$now" --gateway stopped 2>"$work/said" || true
    ended=$(date +%s%N)
    echo $(((ended - began) / 1000))
}

make_state "$shapes/a" --shape issue-61633 --transcripts some
cp -r "$shapes/a/state" "$work/state"
store=$work/state/agents/main/sessions/sessions.json
before=$(sha256sum <"$store")
first=$(start "$work/state")
echo "first start on 185 MB: $(seconds "$first") s: $(cut -c1-160 "$work/said")"
oldest=$(find "$work/state/sessions-doctor/runs" -mindepth 1 -maxdepth 1 | sort | head -n 1)
job=$(grep -o -m 1 '"agent:main:cron:[^:"]*:run:' "$store")
: >"$work/idle" && : >"$work/busy"
for ((number = 0; number < starts / 2; number++)); do
    start "$work/state" >>"$work/idle"
    # A record of a run that ended days ago, as the first member.
    { printf '{\n  %snew-%d": {\n    "sessionId": "new-%d",\n    "updatedAt": 1794964470000\n  },\n' "$job" "$number" "$number"; tail -n +2 "$store"; } >"$work/next"
    cat "$work/next" >"$store"
    start "$work/state" >>"$work/busy"
done
runs=$(find "$work/state/sessions-doctor/runs" -mindepth 1 -maxdepth 1 | wc -l)
echo "nothing changed: $(seconds "$(median <"$work/idle")") s, at most $(seconds "$(sort -n "$work/idle" | tail -n 1)") s"
echo "a new record each: $(seconds "$(median <"$work/busy")") s, at most $(seconds "$(sort -n "$work/busy" | tail -n 1)") s"
echo "after $starts more starts: $runs records, $(du -sh --apparent-size "$work/state/sessions-doctor" | cut -f1)"
[ "$(sha256sum <"$oldest/original")" = "$before" ] || { echo "the first backup is gone" >&2 && exit 1; }
[ "$runs" -le 10 ] || { echo "records pile up" >&2 && exit 1; }
[ "$(median <"$work/idle")" -lt 10000 ] || { echo "a start at which nothing changed takes 10 ms or more" >&2 && exit 1; }

make_state "$shapes/quiet-1g" --shape quiet --entries 35000 --transcripts none
large=$shapes/quiet-1g/state
rm -rf "$large/sessions-doctor"
/usr/bin/time -f '%e s, %M KB at the peak' "$tool" guard --state-dir "$large" --now "$now" --gateway stopped 2>"$work/said"
echo "a store of $(stat -c %s "$large/agents/main/sessions/sessions.json") bytes: $(tail -n 1 "$work/said"): $(head -n 1 "$work/said" | cut -c1-120)"
