'use strict';

// What is in the package: every function of the C interface, every name for `import` and for TypeScript, and one version.

const assert = require('node:assert/strict');
const fs = require('node:fs');
const path = require('node:path');
const { test } = require('node:test');
const touchmark = require('touchmark');
const native = require('../lib/native.js');
const { prototypes } = require('../lib/prototypes.js');

const here = path.join(__dirname, '..');
const text = (name) => fs.readFileSync(path.join(here, name), 'utf8');

test('one version', () => {
  assert.equal(JSON.parse(text('package.json')).version, touchmark.version);
});

test('every function is there, and takes what the header says', () => {
  for (const feature of ['sign', 'io', 'supply-chain']) assert.ok(touchmark.features().includes(feature));
  const header = text('../../crates/capi/include/touchmark.h').replace(/\/\*.*?\*\/|\/\/[^\n]*/gs, '');
  const declared = {};
  for (const [, name, parameters] of header.matchAll(/\btouchmark_(\w+)\s*\(([^()]*)\)\s*;/g)) {
    declared[name] = parameters.trim() === 'void' ? 0 : parameters.split(',').length;
  }
  // Done here by steps, so that functions of JavaScript may answer later.
  delete declared.tuf_client_drive;
  delete declared.trust_root_open_with;
  // Signers alone are called back.
  delete declared.sink_fail;
  const known = Object.fromEntries([...prototypes].map(([name, [, parameters]]) => [name, parameters.length]));
  delete known.sink_fail;
  assert.deepEqual(known, declared);
  for (const name of prototypes.keys()) assert.equal(typeof native.lib[name], 'function');
});

test('import gives what require gives, and the types tell it', async () => {
  const imported = await import('touchmark');
  const names = Object.keys(touchmark).sort();
  assert.deepEqual(Object.keys(imported).filter((name) => name !== 'default').sort(), names);
  const declared = [...`${text('index.d.ts')}${text('errors.d.ts')}`.matchAll(/^export declare (?:abstract )?(?:class|function|const) (\w+)/gm)].map(([, name]) => name);
  assert.deepEqual([...new Set(declared)].filter((name) => name !== 'Handle').sort(), names);
});
