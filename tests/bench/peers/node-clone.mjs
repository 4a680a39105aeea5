// As node-filter.mjs, with the copy that OpenClaw's loader makes of every store.
import fs from 'node:fs';

const [store, keep, out] = process.argv.slice(2);
const read = (path) => JSON.parse(fs.readFileSync(path, 'utf8'));
const wanted = read(keep);
const kept = Object.fromEntries(Object.entries(structuredClone(read(store))).filter(([key]) => Object.hasOwn(wanted, key)));
fs.writeFileSync(out, JSON.stringify(kept, null, 2));
