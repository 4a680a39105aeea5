// Writes testdata/oracle/cases.jsonl: hand-made store texts, and what the Node that runs this script says of each.
//
//     node tests/oracle/record.mjs            writes the file
//     node tests/oracle/record.mjs --check    writes nothing; exit 1 where the file differs from what would be written
//
// Deterministic: positions and bytes of the random cases come from a seeded generator, so another run of the same script by the same
// Node gives the same bytes. Adding a case in the middle of the seeded ones changes those after it, and nothing else.

import fs from 'node:fs';
import process from 'node:process';
import { fileURLToPath } from 'node:url';

import { judge } from './judge.mjs';

const out = fileURLToPath(new URL('../../testdata/oracle/cases.jsonl', import.meta.url));

const cases = [];
const names = new Set();

/** Adds a case; `parts` are strings (taken as UTF-8), byte arrays or buffers. */
const add = (name, ...parts) => {
  if (names.has(name)) throw new Error(`two cases are named ${name}`);
  names.add(name);
  cases.push({ name, input: Buffer.concat(parts.map((part) => (typeof part === 'string' ? Buffer.from(part, 'utf8') : Buffer.from(part)))) });
};

/** Adds a JSON text in the three places where it can stand in a store: a member of an entry, a whole entry, the whole file. */
const everywhere = (name, ...value) => {
  add(`${name}/member`, '{"agent:main:main":{"sessionId":"s1","updatedAt":1,"x":', ...value, '},"k2":{"status":"done"}}');
  add(`${name}/entry`, '{\n  "agent:main:main": ', ...value, ',\n  "k2": {\n    "status": "done"\n  }\n}');
  add(`${name}/file`, ...value);
};

/** mulberry32. */
const random = (seed) => {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return (mixed ^ (mixed >>> 14)) >>> 0;
  };
};

const hex = (byte) => byte.toString(16).padStart(2, '0');

// --- Numbers ---
const numbers = {
  zero: '0', 'minus-zero': '-0', one: '1', negative: '-17', fraction: '0.5', 'fraction-zeros': '1.000', 'exponent': '1e5', 'exponent-capital': '1E-5',
  'exponent-plus': '2e+3', 'exponent-zeros': '1e0007', 'overflow': '1e999', 'overflow-negative': '-1e999', underflow: '1e-999', 'minus-zero-exponent': '-0e-0',
  'above-2-53': '9007199254740993', 'epoch-ms': '1795223619221', 'max-double': '1.7976931348623157e308', 'min-double': '5e-324', 'long-fraction': '0.1000000000000000055511151231257827',
  'minus-alone': '-', 'leading-zero': '01', 'minus-leading-zero': '-01', 'double-zero': '00', 'dot-at-end': '1.', 'dot-at-start': '.5', 'minus-dot': '-.5', 'exponent-empty': '1e',
  'exponent-plus-empty': '1e+', 'exponent-minus-empty': '1E-', 'dot-exponent': '1.e3', 'plus': '+1', 'two-dots': '1.2.3', 'two-exponents': '1e2e3', 'exponent-fraction': '1e1.5',
  'double-minus': '--1', 'minus-blank': '- 1', 'hex': '0x10', octal: '0o7', 'underscore': '1_000', bigint: '1n', 'nan': 'NaN', 'infinity': 'Infinity', 'minus-infinity': '-Infinity',
  'inner-blank': '1 2', 'trailing-letter': '1a', 'zero-exponent': '0e1', 'zero-then-digit-after-exponent': '0e01', 'fullwidth-digit': '１', 'arabic-digit': '٣',
};
for (const [name, value] of Object.entries(numbers)) everywhere(`number/${name}`, value);
everywhere('number/long-integer', '1'.repeat(400));
everywhere('number/very-long-integer', '9'.repeat(5000));
everywhere('number/very-long-fraction', `0.${'3'.repeat(5000)}`);
everywhere('number/very-long-exponent', `1e${'0'.repeat(3000)}2`);
add('number/cut-at-end-of-file', '{"k":{"updatedAt":12');
for (const time of ['1795223619221', '1795223619221.5', '1795223619', '-5', '1e12', '-0', '1e999', '0.000001', '1e-7', '1e21', '123456789012345680000', '"1795223619221"', 'null', 'true', '[1]', '{"a":1}']) {
  add(`number/times/${time}`, `{"k":{"sessionId":"s","updatedAt":${time},"startedAt":${time},"endedAt":${time}}}`);
}

// --- Literals, cut anywhere and misspelt ---
for (const literal of ['true', 'false', 'null']) {
  everywhere(`literal/${literal}`, literal);
  for (let length = 1; length < literal.length; length += 1) {
    everywhere(`literal/${literal}-cut-${length}`, literal.slice(0, length));
    add(`literal/${literal}-cut-${length}/end-of-file`, '{"k":{"x":', literal.slice(0, length));
  }
  add(`literal/${literal}-capital`, `{"k":${literal[0].toUpperCase()}${literal.slice(1)}}`);
  add(`literal/${literal}-longer`, `{"k":${literal}x}`);
  add(`literal/${literal}-doubled`, `{"k":${literal}${literal}}`);
  add(`literal/${literal}-escaped`, `{"k":\\u00${hex(literal.charCodeAt(0))}${literal.slice(1)}}`);
  add(`literal/${literal}-as-key`, `{${literal}:{}}`);
}
add('literal/undefined', '{"k":undefined}');

// --- Strings: escapes ---
for (const letter of ['"', '\\', '/', 'b', 'f', 'n', 'r', 't']) everywhere(`string/escape-${letter === '/' ? 'slash' : letter === '\\' ? 'backslash' : letter === '"' ? 'quote' : letter}`, `"a\\${letter}b"`);
for (const letter of ['a', 'v', 'x', '0', '1', 'U', "'", ' ', 'B', 'N', '\n', 'é', '{', ',']) add(`string/bad-escape-u+${hex(letter.codePointAt(0))}`, `{"k":{"x":"a\\${letter}b"}}`);
for (const letter of ['a', 'x', '0', "'"]) add(`string/bad-escape-in-key-u+${hex(letter.codePointAt(0))}`, `{"a\\${letter}b":{"x":1}}`);
for (const [name, body] of Object.entries({
  'u-lower': '\\u00e9', 'u-upper': '\\u00E9', 'u-nul': '\\u0000', 'u-quote': '\\u0022', 'u-backslash': '\\u005c', 'u-newline': '\\u000a', 'u-pair': '\\ud83d\\ude00', 'u-pair-upper': '\\uD83D\\uDE00',
  'u-lone-high': '\\ud83d', 'u-lone-low': '\\ude00', 'u-reversed-pair': '\\ude00\\ud83d', 'u-two-highs': '\\ud83d\\ud83d', 'u-high-then-letter': '\\ud83dx', 'u-high-then-newline': '\\ud83d\\n',
  'u-high-then-other-escape': '\\ud83d\\u0041', 'u-bom': '\\ufeff', 'u-ffff': '\\uffff', 'u-2028': '\\u2028', 'high-escape-raw-emoji': '\\ud83d😀', 'u-five-digits': '\\u00e91', backslashes: '\\\\\\\\', 'backslash-then-u': '\\\\u00zz',
})) {
  everywhere(`string/${name}`, `"${body}"`);
  add(`string/${name}/key`, `{"${body}":{"sessionId":"${body}","status":"${body}"}}`);
}
for (const body of ['\\u', '\\u0', '\\u00', '\\u00e', '\\u00g0', '\\ug000', '\\u 0e9', '\\u-0e9', '\\u+0e9', '\\u00e ', '\\ud83d\\u', '\\ud83d\\ude', '\\U00e9', '\\u{e9}', '\\u0x41', '\\u００e9']) {
  const name = body.replaceAll('\\', '~');
  add(`string/cut-unicode/${name}/value`, `{"k":{"x":"${body}"}}`);
  add(`string/cut-unicode/${name}/key`, `{"${body}":{"x":1}}`);
  add(`string/cut-unicode/${name}/end-of-file`, `{"k":{"x":"${body}`);
}
add('string/backslash-before-end', '{"k":"\\');
add('string/backslash-eats-quote', '{"k":"\\"}');
add('string/even-backslashes', '{"k":"\\\\"}');
add('string/odd-backslashes', '{"k":"\\\\\\"}');
for (const count of [62, 63, 64, 65, 127, 128]) {
  add(`string/${count}-backslashes`, `{"k":"${'\\'.repeat(count)}"}`);
  add(`string/${count}-blanks-then-escape`, `${' '.repeat(count)}{"k":"\\"","l":"\\\\"}`);
}

// --- Strings: raw characters ---
for (let code = 0; code < 0x20; code += 1) {
  add(`string/raw-control-${hex(code)}/value`, '{"k":{"x":"a', [code], 'b"}}');
  add(`string/raw-control-${hex(code)}/key`, '{"a', [code], 'b":{"x":1}}');
}
for (const [name, character] of Object.entries({ del: '\x7f', c1: '\x85', nbsp: '\xa0', 'u+2028': '\u2028', 'u+2029': '\u2029', bom: '\ufeff', 'u+ffff': '\uffff', 'u+fffd': '\ufffd', emoji: '😀', 'last-plane': '\u{10ffff}', combining: 'e\u0301', rtl: 'שלום', cjk: '会話', zwj: '👩‍👩‍👧' })) {
  add(`string/raw-${name}/value`, `{"k":{"sessionId":"a${character}b","status":"${character}"}}`);
  add(`string/raw-${name}/key`, `{"a${character}b":{"x":1}}`);
}
add('string/long-key', `{"${'k'.repeat(5000)}":{"sessionId":"s"}}`);
add('string/long-key-non-ascii', `{"${'é'.repeat(2500)}":{"sessionId":"s"}}`);
add('string/long-key-unterminated', `{"${'k'.repeat(5000)}`);
add('string/long-keys-that-differ-at-the-end', `{"${'k'.repeat(5000)}a":{"sessionId":"1"},"${'k'.repeat(5000)}b":{"sessionId":"2"},"${'k'.repeat(5000)}a":{"sessionId":"3"}}`);
add('string/long-value', `{"k":{"sessionId":"${'v'.repeat(5000)}","status":"done"}}`);
for (const cut of ['{"', '{"k', '{"k"', '{"k":', '{"k":"', '{"k":"v', '{"k":"v"', '{"k":"v",', '{"k":"v","', '{', '[', '[1', '[1,', '"', '"a']) add(`string/unterminated/${cut}`, cut);
add('string/single-quotes-key', "{'k':{}}");
add('string/single-quotes-value', "{\"k\":'v'}");
add('string/backquotes', '{"k":`v`}');
add('string/typographic-quotes', '{“k”:{}}');
add('string/unquoted-key', '{k:{}}');
add('string/number-as-key', '{1:{}}');
add('string/concatenated', '{"k":"a" "b"}');

// --- Invalid UTF-8, every kind of the WHATWG decoder ---
const broken = {
  'continuation-80': [0x80], 'continuation-bf': [0xbf], 'overlong-c0-80': [0xc0, 0x80], 'overlong-c1-bf': [0xc1, 0xbf], 'overlong-e0-80-af': [0xe0, 0x80, 0xaf], 'overlong-e0-9f-bf': [0xe0, 0x9f, 0xbf],
  'overlong-f0-80-80-af': [0xf0, 0x80, 0x80, 0xaf], 'overlong-f0-8f-bf-bf': [0xf0, 0x8f, 0xbf, 0xbf], 'overlong-quote': [0xc0, 0xa2], 'overlong-slash': [0xc0, 0xaf], 'surrogate-high': [0xed, 0xa0, 0x80],
  'surrogate-low': [0xed, 0xbf, 0xbf], 'surrogate-pair-cesu': [0xed, 0xa0, 0xbd, 0xed, 0xb8, 0x80], 'above-10ffff': [0xf4, 0x90, 0x80, 0x80], 'f5': [0xf5], 'f5-whole': [0xf5, 0x80, 0x80, 0x80],
  'f8-five-bytes': [0xf8, 0x88, 0x80, 0x80, 0x80], 'fe': [0xfe], 'ff': [0xff], 'fe-ff': [0xfe, 0xff], 'two-of-two-cut': [0xc3], 'three-cut-1': [0xe2], 'three-cut-2': [0xe2, 0x82], 'four-cut-1': [0xf0], 'four-cut-2': [0xf0, 0x9f],
  'four-cut-3': [0xf0, 0x9f, 0x98], 'cut-then-start': [0xe2, 0x82, 0xc3, 0xa9], 'cut-then-ascii': [0xf0, 0x9f, 0x41], 'two-bad-in-a-row': [0xff, 0xfe], 'bad-good-bad': [0x80, 0xc3, 0xa9, 0x80], 'extra-continuation': [0xc3, 0xa9, 0xa9],
  'latin-1': [0x63, 0x61, 0x66, 0xe9], 'cut-then-escape': [0xe2, 0x82, 0x5c, 0x6e], 'cut-then-backslash-quote': [0xf0, 0x9f, 0x5c, 0x22],
};
for (const [name, bytes] of Object.entries(broken)) {
  add(`utf8/${name}/value`, '{"k":{"sessionId":"a', bytes, '","status":"', bytes, 'z"}}');
  add(`utf8/${name}/key`, '{"a', bytes, '":{"x":1},"', bytes, 'b":{"x":2}}');
  add(`utf8/${name}/between-tokens`, '{"k":{"x":1}', bytes, '}');
  add(`utf8/${name}/end-of-file-in-string`, '{"k":{"x":"', bytes);
  add(`utf8/${name}/after-the-root`, '{"k":{"x":1}}', bytes);
}
add('utf8/cut-before-quote-then-continuation', '{"k":"', [0xe2, 0x82], '"', [0xac], '}');
add('utf8/only-bad-bytes', [0xff, 0xff, 0xff]);
add('utf8/utf-16-le', Buffer.from('{"k":{}}', 'utf16le'));
add('utf8/utf-16-le-with-bom', [0xff, 0xfe], Buffer.from('{"k":{}}', 'utf16le'));
add('utf8/good-on-the-borders', '{"\u007f\u0080\u07ff\u0800\ud7ff\ue000\uffff\u{10000}\u{10ffff}":{"status":"\u0080\u0800\u{10000}"}}');
for (const at of [61, 62, 63, 64]) add(`utf8/emoji-across-byte-${at}`, `{"${'a'.repeat(at - 2)}😀":{"x":1}}`);
for (const at of [61, 62, 63, 64]) add(`utf8/cut-emoji-across-byte-${at}`, `{"${'a'.repeat(at - 2)}`, [0xf0, 0x9f, 0x98], '":{"x":1}}');

// --- White space, marks, padding ---
for (const [name, blank] of Object.entries({ space: ' ', tab: '\t', 'line-feed': '\n', 'carriage-return': '\r', 'crlf': '\r\n', 'form-feed': '\f', 'vertical-tab': '\v', nbsp: '\xa0', bom: '\ufeff', 'u+2028': '\u2028', 'u+2003': '\u2003', 'u+3000': '\u3000', nul: '\0', backspace: '\b', nel: '\x85', zwsp: '\u200b' })) {
  add(`blank/${name}/everywhere`, ['', '{', '"k"', ':', '{', '"x"', ':', '[', '1', ',', '2', ']', '}', ',', '"l"', ':', '{', '}', '}', ''].join(blank));
  add(`blank/${name}/before`, blank, '{"k":{}}');
  add(`blank/${name}/after`, '{"k":{}}', blank);
  add(`blank/${name}/after-colon`, `{"k":${blank}{}}`);
  add(`blank/${name}/alone`, blank);
  add(`blank/${name}/in-a-number`, `{"k":1${blank}2}`);
}
add('file/empty', '');
add('file/blanks-only', ' \r\n\t ');
add('file/bom-only', '\ufeff');
add('file/bom-store', '\ufeff{\n  "k": {\n    "sessionId": "s"\n  }\n}');
add('file/two-boms', '\ufeff\ufeff{}');
add('file/cut-bom', [0xef, 0xbb], '{}');
add('file/nul-padding', '{"k":{"x":1}}', Buffer.alloc(64));
add('file/nul-padding-inside', '{"k":{"x":1', Buffer.alloc(64), '}}');
add('file/nul-only', Buffer.alloc(4096));
add('file/nul-before', Buffer.alloc(8), '{"k":{}}');
add('file/ctrl-z', '{"k":{}}\x1a');
add('file/long-blank-tail', '{"k":{}}', '\n'.repeat(500));
add('file/blank-tail-then-byte', '{"k":{}}', ' '.repeat(500), 'x');
for (const tail of ['}', ']', ',', ':', '"', '{', '{}', '[]', '0', 'null', 'x', '\n{"k":{"x":2}}', '/* c */', '// c', '#', ';', '\\']) add(`file/trailing/${tail.trim()}`, '{"k":{"x":1}}', tail);
add('file/two-documents', '{"k":{"x":1}}\n{"l":{"x":2}}\n');
add('file/old-tail-after-shorter-write', '{\n  "k": {\n    "x": 1\n  }\n}  "y": 2\n  }\n}');
add('file/crlf', '{\r\n  "k": {\r\n    "sessionId": "s",\r\n    "updatedAt": 5\r\n  }\r\n}\r\n');
add('file/crlf-in-a-string', '{\r\n  "k": {\r\n    "x": "a\r\nb"\r\n  }\r\n}');
add('file/tabs', '{\n\t"k": {\n\t\t"status": "running"\n\t}\n}');
add('file/indent-4', JSON.stringify({ k: { sessionId: 's', status: 'done' } }, null, 4));
add('file/compact', JSON.stringify({ k: { sessionId: 's', status: 'done', updatedAt: 3 }, l: { spawnedBy: 'k', chatType: 'group' } }));
add('file/compact-trailing-newline', '{"k":{"sessionId":"s"}}\n');
add('file/git-conflict', '{\n<<<<<<< HEAD\n  "k": {}\n=======\n  "l": {}\n>>>>>>> other\n}');
add('file/html', '<!doctype html><html></html>');
add('file/gzip', [0x1f, 0x8b, 0x08, 0, 0, 0, 0, 0, 0, 3]);
add('file/sqlite', 'SQLite format 3\0');

// --- Structure ---
for (const [name, value] of Object.entries({
  'object': '{"a":{"b":[]}}', 'empty-object': '{}', 'empty-object-blanks': '{ \n }', array: '[1,{"a":2},[]]', 'empty-array': '[]', 'empty-array-blanks': '[ \n ]', string: '"text"', 'empty-string': '""',
  'object-trailing-comma': '{"a":1,}', 'object-leading-comma': '{,"a":1}', 'object-double-comma': '{"a":1,,"b":2}', 'object-lone-comma': '{,}', 'object-missing-comma': '{"a":1 "b":2}', 'object-missing-colon': '{"a" 1}', 'object-double-colon': '{"a"::1}',
  'object-missing-value': '{"a":}', 'object-missing-key': '{:1}', 'object-key-alone': '{"a"}', 'object-comma-for-colon': '{"a",1}', 'object-semicolon': '{"a":1;"b":2}', 'object-closed-by-bracket': '{"a":1]', 'object-unclosed': '{"a":1', 'object-equals': '{"a"=1}',
  'object-array-key': '{[1]:1}', 'object-object-key': '{{}:1}', 'object-null-key': '{null:1}', 'array-trailing-comma': '[1,]', 'array-leading-comma': '[,1]', 'array-double-comma': '[1,,2]', 'array-lone-comma': '[,]', 'array-missing-comma': '[1 2]', 'array-colon': '[1:2]',
  'array-closed-by-brace': '[1}', 'array-unclosed': '[1', 'array-member': '["a":1]', 'extra-brace': '{"a":1}}', 'extra-bracket': '[1]]', 'comma-alone': ',', 'colon-alone': ':', 'brace-alone': '}', 'bracket-alone': ']', nothing: '', 'line-comment': '1 // one\n', 'block-comment': '/* one */ 1',
  'hash-comment': '1 # one\n', 'regex': '/a/', 'function': 'f()', 'spread': '[...a]', 'parenthesis': '(1)', 'plus': '1+1', 'ellipsis': '...',
})) everywhere(`structure/${name}`, value);
add('structure/trailing-comma-at-root', '{\n  "k": {\n    "x": 1\n  },\n}');
add('structure/missing-comma-at-root', '{"k":{"x":1}"l":{}}');
add('structure/missing-colon-at-root', '{"k"{"x":1}}');
add('structure/comment-at-root', '{\n  // note\n  "k": {}\n}');
add('structure/entries-of-every-kind', '{"a":null,"b":0,"c":"s","d":[],"e":true,"f":false,"g":{},"h":[{"status":"running"}],"i":-0,"j":""}');
for (const mix of ['[[}]]', '{"a":[}]}', '{"a":[1,{"b":]}', '[{]}', '{"a":{"b":[[{}]}}', '[[[[[]]]]]', '{"a":[[],[[]],{}]}']) everywhere(`structure/nesting/${mix}`, mix);

// --- Keys and members ---
add('keys/duplicate', '{"k":{"status":"running"},"l":{},"k":{"status":"done"}}');
add('keys/duplicate-thrice', '{"k":{"sessionId":"1"},"k":{"sessionId":"2"},"k":{"sessionId":"3"}}');
add('keys/duplicate-last-is-null', '{"k":{"status":"running"},"k":null}');
add('keys/duplicate-first-is-null', '{"k":null,"k":{"status":"running"}}');
add('keys/duplicate-by-escape', '{"a":{"sessionId":"1"},"\\u0061":{"sessionId":"2"}}');
add('keys/duplicate-by-escape-first', '{"\\u0061":{"sessionId":"1"},"a":{"sessionId":"2"}}');
add('keys/duplicate-by-hex-case', '{"\\u00e9":{"sessionId":"1"},"\\u00E9":{"sessionId":"2"},"é":{"sessionId":"3"}}');
add('keys/duplicate-by-slash-escape', '{"a/b":{"sessionId":"1"},"a\\/b":{"sessionId":"2"}}');
add('keys/duplicate-by-pair', '{"😀":{"sessionId":"1"},"\\ud83d\\ude00":{"sessionId":"2"}}');
add('keys/duplicate-by-bad-bytes', '{"a', [0xff], '":{"sessionId":"1"},"a', [0xfe], '":{"sessionId":"2"},"a\ufffd":{"sessionId":"3"},"a\\ufffd":{"sessionId":"4"}}');
add('keys/duplicate-by-bad-sequences', '{"', [0xe2, 0x82], '":{"sessionId":"1"},"', [0x80], '":{"sessionId":"2"},"', [0x80, 0x80], '":{"sessionId":"3"}}');
add('keys/lone-surrogates-differ', '{"\\ud83d":{"sessionId":"1"},"\\ud83e":{"sessionId":"2"},"\ufffd":{"sessionId":"3"}}');
add('keys/lone-surrogates-same', '{"\\ud83d":{"sessionId":"1"},"\\uD83D":{"sessionId":"2"}}');
add('keys/not-normalised', '{"é":{"sessionId":"1"},"e\u0301":{"sessionId":"2"}}');
add('keys/case-differs', '{"Agent:Main:Main":{},"agent:main:main":{}}');
add('keys/blank-differs', '{"k":{},"k ":{}," k":{}}');
add('keys/proto', '{"__proto__":{"sessionId":"1","status":"running"},"k":{"__proto__":{"status":"running"}}}');
add('keys/proto-twice', '{"__proto__":{"sessionId":"1"},"__proto__":{"sessionId":"2"}}');
add('keys/proto-null', '{"__proto__":null}');
add('keys/proto-escaped', '{"__proto\\u005f_":{"sessionId":"1"}}');
add('keys/constructor', '{"constructor":{"sessionId":"1"},"toString":{"sessionId":"2"},"hasOwnProperty":1}');
add('keys/empty', '{"":{"sessionId":"1"}}');
add('keys/empty-twice', '{"":{"sessionId":"1"},"":{"sessionId":"2"}}');
add('keys/integers', '{"b":{},"10":{"sessionId":"10"},"2":{"sessionId":"2"},"01":{},"-1":{},"4294967295":{},"4294967294":{}}');
add('keys/nul-escape', '{"a\\u0000b":{},"a":{}}');
add('keys/fifty', `{${Array.from({ length: 50 }, (_, at) => `"k${at}":{"sessionId":"s${at}"}`).join(',')}}`);
add('keys/fifty-one', `{${Array.from({ length: 51 }, (_, at) => `"k${at}":{"sessionId":"s${at}"}`).join(',')}}`);
add('keys/two-thousand-two-names', `{${Array.from({ length: 2000 }, (_, at) => `"k${at % 2}":{"sessionId":"s${at}"}`).join(',')}}`);
add('members/escaped-name', '{"k":{"st\\u0061tus":"running","\\u0073essionId":"s1","updated\\u0041t":5}}');
add('members/escaped-value', '{"k":{"status":"r\\u0075nning"}}');
add('members/duplicate', '{"k":{"status":"running","status":"done"}}');
add('members/duplicate-other-type', '{"k":{"status":"running","status":1,"updatedAt":5,"updatedAt":"5"}}');
add('members/duplicate-back-to-type', '{"k":{"status":1,"status":"running","updatedAt":"5","updatedAt":5}}');
add('members/duplicate-by-escape', '{"k":{"status":"running","st\\u0061tus":"done"}}');
add('members/duplicate-by-escape-first', '{"k":{"st\\u0061tus":"running","status":"done"}}');
add('members/duplicate-last-null', '{"k":{"status":"running","status":null,"startedAt":1,"startedAt":null}}');
add('members/similar-names', '{"k":{"Status":"running","status ":"done","statuss":"x","statu":"y","sessionid":"a"}}');
add('members/nested-look-alike', '{"k":{"origin":{"status":"running","chatType":"group","updatedAt":9},"list":[{"sessionId":"no"}]}}');
add('members/text-look-alike', '{"k":{"x":"\\"status\\":\\"running\\"","y":"{\\"sessionId\\":1}"}}');
add('members/all', '{"k":{"sessionId":"s","status":"running","updatedAt":1,"startedAt":2,"endedAt":3,"chatType":"direct","spawnedBy":"agent:main:main"}}');
add('members/all-wrong-types', '{"k":{"sessionId":1,"status":[],"updatedAt":"1","startedAt":null,"endedAt":{},"chatType":false,"spawnedBy":0}}');
add('members/empty-strings', '{"k":{"sessionId":"","status":"","chatType":"","spawnedBy":""}}');
add('members/proto-status', '{"k":{"__proto__":{"status":"running","updatedAt":1}}}');
add('members/two-thousand', `{"k":{${Array.from({ length: 2000 }, (_, at) => `"m${at}":${at}`).join(',')},"status":"done"}}`);
add('members/status-after-large-member', `{"k":{"skillsSnapshot":{"prompt":"${'x'.repeat(9000)}"},"status":"running"}}`);

// --- Nesting ---
const DEEP = 10_000;
for (const [name, open, middle, close] of [['arrays', '[', '', ']'], ['objects', '{"a":', '1', '}'], ['mixed', '[{"a":', '1', '}]']]) {
  const depth = name === 'mixed' ? DEEP / 2 : DEEP;
  add(`deep/${name}/member`, `{"k":{"x":${open.repeat(depth)}${middle}${close.repeat(depth)},"status":"done"}}`);
  add(`deep/${name}/entry`, `{"k":${open.repeat(depth)}${middle}${close.repeat(depth)}}`);
  add(`deep/${name}/one-too-few`, `{"k":${open.repeat(depth)}${middle}${close.repeat(depth - 1)}}`);
  add(`deep/${name}/one-too-many`, `{"k":${open.repeat(depth)}${middle}${close.repeat(depth + 1)}}`);
  add(`deep/${name}/cut`, `{"k":${open.repeat(depth)}`);
}
for (const depth of [63, 64, 65, 127, 128, 129, 511, 512, 513, 1023, 1024, 1025]) {
  add(`deep/arrays-${depth}`, `{"k":${'['.repeat(depth)}${']'.repeat(depth)}}`);
  add(`deep/objects-closed-by-bracket-${depth}`, `{"k":${'{"a":'.repeat(depth)}1${'}'.repeat(depth - 1)}]}`);
}

// --- A small store as OpenClaw writes it: cut at every byte, damaged at seeded places ---
const small = Buffer.from(
  JSON.stringify(
    {
      'agent:main:main': { sessionId: '0f908179', updatedAt: 1795223518091, label: 'Zoë \u0001 "会話" 😀', status: 'done', cost: 0.5e-6, abortedLastRun: false },
      'agent:main:cron:j1:run:r1': { sessionId: 'r1', updatedAt: 1795223619166, status: 'running', skills: [{ name: 'tmux', env: [] }, null] },
    },
    null,
    2,
  ),
  'utf8',
);
for (let length = 0; length < small.length; length += 1) add(`cut/${length}`, small.subarray(0, length));
add('cut/whole', small);
const next = random(61633);
for (let round = 0; round < 150; round += 1) {
  const at = next() % small.length;
  add(`delete/${round}-at-${at}`, small.subarray(0, at), small.subarray(at + 1));
}
for (let round = 0; round < 200; round += 1) {
  const at = next() % small.length;
  const byte = round % 2 === 0 ? next() % 256 : '{}[]:,"\\ 0-etn'.charCodeAt(next() % 14);
  add(`replace/${round}-at-${at}-by-${hex(byte)}`, small.subarray(0, at), [byte], small.subarray(at + 1));
}
for (let round = 0; round < 100; round += 1) {
  const at = next() % (small.length + 1);
  const byte = '{}[]:,"\\ 0-etn\n\0\xff'.charCodeAt(next() % 17);
  add(`insert/${round}-at-${at}-of-${hex(byte)}`, small.subarray(0, at), [byte], small.subarray(at));
}
for (let round = 0; round < 40; round += 1) {
  const from = next() % small.length;
  const to = Math.min(small.length, from + 1 + (next() % 40));
  add(`zeroed/${round}-${from}-to-${to}`, small.subarray(0, from), Buffer.alloc(to - from), small.subarray(to));
  add(`missing/${round}-${from}-to-${to}`, small.subarray(0, from), small.subarray(to));
}

const text = cases.map(({ name, input }) => `${JSON.stringify({ name, input: input.toString('base64'), ...judge(input) })}\n`).join('');
if (process.argv.includes('--check')) {
  const same = fs.existsSync(out) && fs.readFileSync(out, 'utf8') === text;
  console.log(`${cases.length} cases, ${same ? 'as recorded' : 'NOT as recorded'} (Node ${process.version})`);
  process.exitCode = same ? 0 : 1;
} else {
  fs.writeFileSync(out, text);
  console.log(`${cases.length} cases, ${text.length} bytes, by Node ${process.version}`);
}
