// node node-filter.mjs STORE KEEP OUT: writes the entries of STORE whose keys KEEP has.
import fs from 'node:fs';

const [store, keep, out] = process.argv.slice(2);
const read = (path) => JSON.parse(fs.readFileSync(path, 'utf8'));
const wanted = read(keep);
const kept = Object.fromEntries(Object.entries(read(store)).filter(([key]) => Object.hasOwn(wanted, key)));
fs.writeFileSync(out, JSON.stringify(kept, null, 2));
