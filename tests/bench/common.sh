# Measuring of whole commands, for compare.sh and targets.sh. Sourced, never run.

die() {
    echo "$*" >&2
    exit 2
}

# Microseconds.
now() {
    local at=$EPOCHREALTIME
    echo $((10#${at/[.,]/}))
}

# Runs a command with its output in $work/said; prints the microseconds it took; fails as it fails, save with 1, which is a finding.
timed() {
    local began code=0
    began=$(now)
    "$@" >"$work/said" 2>&1 </dev/null || code=$?
    echo $(($(now) - began))
    [ "$code" -le 1 ]
}

# The peak resident size of a command, in units of 1,000 bytes; nothing where GNU time is missing.
peak() {
    command -v /usr/bin/time >/dev/null || return 0
    /usr/bin/time -o "$work/peak" -f %M "$@" >"$work/said" 2>&1 </dev/null || true
    awk 'END { printf "%d", $1 * 1.024 }' "$work/peak"
}

# The middle of the numbers on stdin.
median() {
    sort -n | awk '{ at[NR] = $1 } END { if (NR) print NR % 2 ? at[(NR + 1) / 2] : (at[NR / 2] + at[NR / 2 + 1]) / 2 }'
}

# Microseconds as seconds.
seconds() {
    awk -v us="$1" 'BEGIN { printf "%.3f", us / 1e6 }'
}

# The microseconds that a command spends in fsync and fdatasync; nothing where strace is missing.
synced() {
    command -v strace >/dev/null || return 0
    strace -f -T -e trace=fsync,fdatasync -o "$work/trace" "$@" >"$work/said" 2>&1 </dev/null || true
    sed -n 's/.*<\([0-9.]*\)>$/\1/p' "$work/trace" | awk '{ sum += $1 } END { printf "%d", sum * 1e6 }'
}

# A generated state directory in $1, where there is none yet; the rest are options of generate-store.
make_state() {
    local out=$1
    shift
    [ -e "$out/summary.json" ] && return 0
    rm -rf "$out"
    (cd "$root" && cargo run --quiet --release --example generate-store -- "$@" "$out") >/dev/null
}

# Puts the store of state $1 back as the copy $2 has it, and removes what runs left behind.
put_back() {
    rm -rf "$1/sessions-doctor" "$1"/agents/main/sessions/sessions.json.*
    cp --reflink=auto "$2" "$1/agents/main/sessions/sessions.json"
    sync "$1/agents/main/sessions/sessions.json"
}
