// What JSON.parse makes of a store text.
//
// As a module: `judge(buffer)` gives one judgment. As a program: reads inputs from stdin, each a u32 (little endian) length and that
// many bytes, and answers each with one line of JSON, until stdin ends. Needs nothing but Node.
//
// The judge reads as OpenClaw does: `JSON.parse(buffer.toString('utf8'))`, that is with replacement characters for invalid UTF-8, and
// with a byte order mark left where it is. The fields of a judgment are told in testdata/oracle/README.md.

import { pathToFileURL } from 'node:url';

/** Roots with more keys than this get a count alone. */
const MAX_KEYS = 50;

const kindOf = (value) => (value === null ? 'null' : Array.isArray(value) ? 'array' : typeof value);

const utf16 = (text) => Array.from({ length: text.length }, (_, at) => text.charCodeAt(at));

const compareUnits = (left, right) => {
  for (let at = 0; at < Math.min(left.length, right.length); at += 1) {
    if (left[at] !== right[at]) return left[at] - right[at];
  }
  return left.length - right.length;
};

const own = (object, name) => (Object.hasOwn(object, name) ? object[name] : undefined);

const text = (value) => (typeof value === 'string' ? utf16(value) : null);

const number = (value) => (typeof value === 'number' ? value.toString() : null);

const factsOf = (key, entry) => {
  const kind = kindOf(entry);
  const facts = { key: utf16(key), kind, object: kind === 'object' };
  if (facts.object) {
    for (const name of ['sessionId', 'status', 'chatType', 'spawnedBy']) facts[name] = text(own(entry, name));
    for (const name of ['updatedAt', 'startedAt', 'endedAt']) facts[name] = number(own(entry, name));
  }
  return facts;
};

/** Judges the bytes of one store. */
export const judge = (buffer) => {
  const decoded = buffer.toString('utf8');
  const judgment = {
    valid: false,
    kind: null,
    keys: null,
    keysUtf16: null,
    position: null,
    utf16Length: decoded.length,
    facts: null,
  };
  let root;
  try {
    root = JSON.parse(decoded);
  } catch (error) {
    const at = /at position (\d+)/.exec(error.message);
    judgment.position = at === null ? null : Number(at[1]);
    return judgment;
  }
  judgment.valid = true;
  judgment.kind = kindOf(root);
  if (judgment.kind === 'object') {
    const keys = Object.keys(root);
    judgment.keys = keys.length;
    if (keys.length <= MAX_KEYS) {
      judgment.facts = keys.map((key) => factsOf(key, root[key])).sort((left, right) => compareUnits(left.key, right.key));
      judgment.keysUtf16 = judgment.facts.map((facts) => facts.key);
    }
  }
  return judgment;
};

const serve = () => {
  let pending = Buffer.alloc(0);
  process.stdin.on('data', (chunk) => {
    pending = pending.length === 0 ? chunk : Buffer.concat([pending, chunk]);
    while (pending.length >= 4) {
      const end = 4 + pending.readUInt32LE(0);
      if (pending.length < end) return;
      const input = pending.subarray(4, end);
      pending = pending.subarray(end);
      process.stdout.write(`${JSON.stringify(judge(input))}\n`);
    }
  });
};

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) serve();
