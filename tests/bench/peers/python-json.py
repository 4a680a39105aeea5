"""python3 python-json.py STORE KEEP OUT: writes the entries of STORE whose keys KEEP has."""

import json
import sys

store, keep, out = sys.argv[1:4]
with open(store, encoding="utf-8") as file:
    entries = json.load(file)
with open(keep, encoding="utf-8") as file:
    wanted = json.load(file)
with open(out, "w", encoding="utf-8", errors="surrogatepass") as file:
    json.dump({key: entry for key, entry in entries.items() if key in wanted}, file, indent=2, ensure_ascii=False)
