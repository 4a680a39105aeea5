"""As python-json.py, with orjson."""

import sys

import orjson

store, keep, out = sys.argv[1:4]
with open(store, "rb") as file:
    entries = orjson.loads(file.read())
with open(keep, "rb") as file:
    wanted = orjson.loads(file.read())
with open(out, "wb") as file:
    kept = {key: entry for key, entry in entries.items() if key in wanted}
    file.write(orjson.dumps(kept, option=orjson.OPT_INDENT_2))
