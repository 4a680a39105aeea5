// Writes the recorded cases of testdata/oracle as seeds of the fuzz targets: tests/fuzz/corpus/<target>/.

import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const here = path.dirname(fileURLToPath(import.meta.url));
const lines = fs.readFileSync(path.join(here, '../../testdata/oracle/cases.jsonl'), 'utf8').trim().split('\n');
const inputs = lines.map((line) => Buffer.from(JSON.parse(line).input, 'base64')).filter((input) => input.length < 4096);

// The two bytes in front of `members` choose the range: all of the text, and the value of its first entry.
const targets = {
  scan_vs_portable: (input) => [input],
  scan_vs_serde: (input) => [input],
  members: (input) => [Buffer.concat([Buffer.from([0, 0]), input]), Buffer.concat([Buffer.from([input.indexOf(':') + 1, 1]), input])],
};
for (const [target, seeds] of Object.entries(targets)) {
  const corpus = path.join(here, 'corpus', target);
  fs.mkdirSync(corpus, { recursive: true });
  let count = 0;
  for (const seed of inputs.flatMap(seeds)) {
    fs.writeFileSync(path.join(corpus, `seed-${count}`), seed);
    count += 1;
  }
  console.log(`${target}: ${count} seeds`);
}
