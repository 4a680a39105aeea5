#!/usr/bin/env bash
# A look at 100,000 transcripts of which a store of 1,000 entries refers to 1,000: `sweep`, whole processes, medians; then `sweep --apply` once.
#
#     cargo build --release
#     tests/bench/sweep.sh [--runs N] [--transcripts N] [--tool FILE]
#
# The targets are 3 s and 64 MB for the look. It fails where a transcript of the store is listed, or moved.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
# shellcheck source=tests/bench/common.sh
. "$here/common.sh"

runs=5 transcripts=100000 tool=${CARGO_TARGET_DIR:-$root/target}/release/sessions-doctor
while [ $# -gt 0 ]; do
    [ $# -ge 2 ] || die "$1 needs a value"
    case $1 in
        --runs) runs=$2 ;;
        --transcripts) transcripts=$2 ;;
        --tool) tool=$2 ;;
        *) die "unknown option $1" ;;
    esac
    shift 2
done
[ -x "$tool" ] || die "$tool is missing: cargo build --release"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
sessions=$work/state/agents/main/sessions
mkdir -p "$sessions"

# Transcripts of six lines, 2.2 kB each, and a store in which every entry carries caches of 8 kB.
awk -v dir="$sessions" -v count="$transcripts" 'BEGIN {
    for (i = 0; i < 40; i++) text = text "hello "
    for (i = 0; i < 400; i++) prompt = prompt "line of the prompt\\n"
    store = dir "/sessions.json"
    step = count / 1000 < 1 ? 1 : int(count / 1000)
    printf "{" > store
    for (at = 0; at < count; at++) {
        id = sprintf("%08x-%04x-4000-8000-%012x", (at * 2654435761) % 4294967296, at % 65536, at)
        file = dir "/" id ".jsonl"
        printf "{\"type\":\"session\",\"version\":3,\"id\":\"%s\",\"timestamp\":\"2026-11-11T01:00:00.000Z\",\"cwd\":\"/x\"}\n", id > file
        for (line = 0; line < 5; line++)
            printf "{\"type\":\"message\",\"id\":\"%08x\",\"parentId\":null,\"timestamp\":\"2026-11-11T01:00:0%d.000Z\",\"message\":{\"role\":\"user\",\"content\":[{\"type\":\"text\",\"text\":\"%s\"}]}}\n", line, line, text > file
        close(file)
        if (at % step == 0) {
            printf "%s\n  \"agent:main:telegram:direct:%d\": {\n    \"sessionId\": \"%s\",\n    \"updatedAt\": 1794800000000,\n    \"skillsSnapshot\": {\n      \"prompt\": \"%s\"\n    }\n  }", at ? "," : "", at, id, prompt > store
            print id ".jsonl" > (dir "/../kept")
        }
    }
    printf "\n}" > store
}'
kept=$(wc -l <"$sessions/../kept")
ours=("$tool" sweep --state-dir "$work/state" --now 2026-11-21T01:14:30Z --gateway stopped)

times=''
for ((round = 0; round < runs; round++)); do
    times+="$(timed "${ours[@]}" --quiet)"$'\n'
done
"${ours[@]}" --json >"$work/report.json" || true
listed=$(sed -n 's/.*"count": \([0-9]*\).*/\1/p' "$work/report.json" | head -n 1)
[ "$listed" = $((transcripts - kept)) ] || die "$listed of $((transcripts - kept)) are listed"
echo "look at $transcripts transcripts and $kept entries: $(seconds "$(printf %s "$times" | median)") s, $(peak "${ours[@]}" --quiet) kB"
echo "apply: $(seconds "$(timed "${ours[@]}" --apply --quiet)") s, $(find "$work/state/sessions-doctor/runs" -mindepth 1 -maxdepth 1 | wc -l) runs"
while read -r name; do
    [ -e "$sessions/$name" ] || die "$name was moved, and the store refers to it"
done <"$sessions/../kept"
