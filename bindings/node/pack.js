'use strict';

// Puts what a package needs from outside of this folder into it, before `npm pack`, and takes it away afterwards: the shared library, from
// TOUCHMARK_PREFIX/lib or target/capi/lib, and the licences, also of what
// is linked into it.

const fs = require('node:fs');
const path = require('node:path');

const root = path.join(__dirname, '..', '..');
const licenses = ['LICENSE-APACHE', 'LICENSE-MIT', 'THIRD-PARTY-NOTICES.md'];

if (process.argv[2] === '--clean') {
  fs.rmSync(path.join(__dirname, 'native'), { recursive: true, force: true });
  for (const name of licenses) fs.rmSync(path.join(__dirname, name), { force: true });
} else {
  const library = path.join(process.env.TOUCHMARK_PREFIX || path.join(root, 'target', 'capi'), 'lib', 'libtouchmark.so');
  if (!fs.existsSync(library)) {
    console.error(`${library} is missing: scripts/capi.sh builds it, and TOUCHMARK_PREFIX names another folder`);
    process.exit(1);
  }
  fs.mkdirSync(path.join(__dirname, 'native'), { recursive: true });
  fs.copyFileSync(library, path.join(__dirname, 'native', 'libtouchmark.so'));
  for (const name of licenses) fs.copyFileSync(path.join(root, name), path.join(__dirname, name));
}
