# jq --slurpfile keep KEEP -f filter.jq STORE: the entries of STORE whose keys KEEP has.
with_entries(select(.key | in($keep[0])))
