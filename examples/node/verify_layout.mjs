#!/usr/bin/env node
// Verifies an image in an OCI layout by a key and the name that it must be signed under.
//
//     verify_layout.mjs REFERENCE KEY NAME       such as oci:build:1.2.0 acme.pub acme/net-monitor:1.2.0
//
// Ends with 0 if it is verified, 1 if it is not, 3 if it is not signed, and 4 if that could not be found out.

import fs from 'node:fs';
import { Policy, PublicKey, Source, TouchmarkError, Unknown, Unsigned, now } from 'touchmark';

const [reference, key, name] = process.argv.slice(2);
try {
  const policy = Policy.fromKeys([PublicKey.read(fs.readFileSync(key))], { name });
  const source = await Source.open(reference);
  const verified = await source.verify(policy, now());
  // From here on only what is verified is used: the digest, and the manifest's bytes.
  console.log(`${verified.name} is ${verified.digest}, ${verified.mediaType}`);
} catch (error) {
  if (!(error instanceof TouchmarkError)) throw error;
  console.error(`${error.message} (${error.code})`);
  process.exitCode = error instanceof Unsigned ? 3 : error instanceof Unknown ? 4 : 1;
}
