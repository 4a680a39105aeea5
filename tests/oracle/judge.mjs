// What JSON.parse makes of a store text.
//
// As a module: `judge(buffer)` gives one judgment. As a program: answers questions from stdin, each with one line of JSON, until stdin
// ends. A question is a u32 count (all numbers little endian), so many entries, a u32 length, and that many bytes of a store. An entry is
// three u32: where a scanner says that its key begins, its value begins, and its value ends. Needs nothing but Node.
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

/** Where a message says that the text goes wrong; null where it does not say. */
const told = (error) => {
  if (error.message.startsWith('Unexpected end of JSON input')) return Infinity;
  const at = /at position (\d+)/.exec(error.message);
  return at === null ? null : Number(at[1]);
};

/** Whether JSON.parse objects to something in the first `length` units, rather than to their end. */
const breaksWithin = (decoded, length) => {
  try {
    JSON.parse(decoded.slice(0, length));
    return false;
  } catch (error) {
    const at = told(error);
    return at === null || at < length;
  }
};

/** The first unit of an invalid text that cannot stand where it stands; the length of the text where it only ends too early. */
const positionOf = (decoded, error) => {
  if (!breaksWithin(decoded, decoded.length)) return decoded.length;
  const at = told(error);
  if (at !== null && at < decoded.length && breaksWithin(decoded, at + 1) && !breaksWithin(decoded, at)) return at;
  let [good, bad] = [0, decoded.length];
  while (bad - good > 1) {
    const middle = (good + bad) >>> 1;
    if (breaksWithin(decoded, middle)) bad = middle;
    else good = middle;
  }
  return good;
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
    judgment.position = positionOf(decoded, error);
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

/** One text for equal values; null where they are nested too deep for JSON.stringify. */
const canonical = (value) => {
  try {
    return JSON.stringify(value);
  } catch {
    return null;
  }
};

const OPENING = /^[ \t\r\n]*\{[ \t\r\n]*$/;
const BETWEEN = /^[ \t\r\n]*,[ \t\r\n]*$/;
const CLOSING = /^[ \t\r\n]*\}[ \t\r\n]*$/;
const COLON = /^("[^]*")[ \t\r\n]*:[ \t\r\n]*$/;

/** What is wrong with the entries that a scanner found in a store, whole or broken; null where nothing is. */
export const wrongEntries = (buffer, entries) => {
  const text = (from, to) => buffer.subarray(from, to).toString('utf8');
  const last = new Map();
  let at = buffer.subarray(0, 3).equals(Buffer.from([0xef, 0xbb, 0xbf])) ? 3 : 0;
  for (const [index, [start, value, end]] of entries.entries()) {
    const gap = text(at, start);
    if (!(index === 0 ? OPENING : BETWEEN).test(gap)) return `${JSON.stringify(gap)} stands before entry ${index}`;
    const key = COLON.exec(text(start, value));
    const body = text(value, end);
    if (key === null || /^[ \t\r\n]|[ \t\r\n]$/.test(body)) return `entry ${index} begins or ends elsewhere`;
    try {
      last.set(JSON.parse(key[1]), JSON.parse(body));
    } catch (error) {
      return `entry ${index}: ${error.message}`;
    }
    at = end;
  }
  let root;
  try {
    root = JSON.parse(text(0));
  } catch {
    return null;
  }
  if (kindOf(root) !== 'object') return entries.length === 0 ? null : 'entries without an object';
  const rest = text(at);
  if (!(entries.length === 0 ? /^[ \t\r\n]*\{[ \t\r\n]*\}[ \t\r\n]*$/ : CLOSING).test(rest)) return `${JSON.stringify(rest)} is left over`;
  if (last.size !== Object.keys(root).length) return `${last.size} keys instead of ${Object.keys(root).length}`;
  for (const [key, value] of last) {
    if (canonical(value) !== canonical(own(root, key))) return `another value at ${JSON.stringify(key)}`;
  }
  return null;
};

/** Calls `answer(entries, bytes)` for every question of a stream. */
const serve = (stream, answer) => {
  let chunks = [];
  let held = 0;
  let wanted = 4;
  stream.on('data', (chunk) => {
    chunks.push(chunk);
    held += chunk.length;
    if (held < wanted) return;
    let pending = chunks.length === 1 ? chunks[0] : Buffer.concat(chunks);
    for (;;) {
      wanted = 4;
      if (pending.length < wanted) break;
      const count = pending.readUInt32LE(0);
      const bytesAt = 8 + 12 * count;
      wanted = bytesAt;
      if (pending.length < wanted) break;
      wanted = bytesAt + pending.readUInt32LE(bytesAt - 4);
      if (pending.length < wanted) break;
      const number = (index) => pending.readUInt32LE(4 + 4 * index);
      const entries = Array.from({ length: count }, (_, at) => [number(3 * at), number(3 * at + 1), number(3 * at + 2)]);
      answer(entries, pending.subarray(bytesAt, wanted));
      pending = pending.subarray(wanted);
    }
    chunks = [pending];
    held = pending.length;
  });
};

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  serve(process.stdin, (entries, bytes) => {
    process.stdout.write(`${JSON.stringify({ ...judge(bytes), wrongEntries: wrongEntries(bytes, entries) })}\n`);
  });
}
