#!/usr/bin/env node
// Signs an artifact in an OCI layout by a function: node:crypto has the key here; elsewhere a key service or a token would, and answer later.
//
//     callback_signer.mjs REFERENCE PRIVATE_KEY PUBLIC_KEY NAME

import crypto from 'node:crypto';
import fs from 'node:fs';
import { promisify } from 'node:util';
import { PublicKey, Signer, Source, TouchmarkError, now, signManifestAsync } from 'touchmark';

const [reference, privateKey, publicKey, name] = process.argv.slice(2);
const key = crypto.createPrivateKey(fs.readFileSync(privateKey));
// The message itself: Ed25519 hashes it itself, ECDSA by SHA-256, and its signature is DER.
const sign = promisify(crypto.sign);
const signer = Signer.fromAsync(PublicKey.read(fs.readFileSync(publicKey)), (message) => sign(key.asymmetricKeyType === 'ec' ? 'sha256' : null, message, key));

try {
  const source = await Source.open(reference);
  const envelope = await signManifestAsync(await source.manifest(), [signer], { name, issued: now() });
  await source.attach([envelope]);
  console.log(`signed ${await source.digest()} as ${name}`);
} catch (error) {
  if (!(error instanceof TouchmarkError)) throw error;
  console.error(`not signed: ${error.message}`);
  process.exitCode = 1;
}
