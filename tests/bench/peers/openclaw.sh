#!/usr/bin/env bash
# openclaw.sh OPENCLAW STATE COUNT: what OpenClaw itself offers, its own cap set to COUNT entries. It writes the store in place.
set -euo pipefail
openclaw=$1 state=$2 count=$3
cat >"$state/openclaw.json" <<CONFIG
{ "session": { "maintenance": { "mode": "enforce", "pruneAfter": "3650d", "maxEntries": $count } } }
CONFIG
OPENCLAW_STATE_DIR=$state OPENCLAW_CONFIG_PATH=$state/openclaw.json \
    exec "$openclaw" sessions cleanup --enforce --store "$state/agents/main/sessions/sessions.json"
