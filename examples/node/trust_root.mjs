#!/usr/bin/env node
// Verifies an artifact by a trust root: that it is what it is called, that nobody has revoked it, and that the policy which the trust repository
// signs accepts it. Then by a policy file, if there is one.
//
//     trust_root.mjs ROOT REPOSITORY STORE NAME REFERENCE [POLICY]
//
// ROOT is the root.json that was given to you once, REPOSITORY the folder of the trust repository, or its URL, which ends with a slash; STORE is
// a folder that keeps what was seen last, so that nothing older comes back.

import fs from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { Client, NotFound, PolicyFile, Source, TouchmarkError, TrustRoot, Unknown, UntrustedMetadata, now } from 'touchmark';

const POLICY = '_touchmark/policy.json';
const [root, repository, store, name, reference, policyFile] = process.argv.slice(2);

/** Puts into a folder what a server has for a name, and the policy. What of it is to be trusted is decided by whoever reads the folder. */
async function mirror(url, folder, at) {
  // Only 404 says that there is no such file; all else is "could not find out".
  const fetchFile = async (file) => {
    const answer = await fetch(new URL(file, url), { signal: AbortSignal.timeout(30_000) });
    if (answer.status === 404) return null;
    if (!answer.ok) throw new Error(`the server answers ${answer.status}`);
    const data = Buffer.from(await answer.arrayBuffer());
    await fs.mkdir(path.dirname(path.join(folder, file)), { recursive: true });
    await fs.writeFile(path.join(folder, file), data);
    return data;
  };
  const fetchMetadata = (file) => fetchFile(`metadata/${file}`);
  const client = new Client(at);
  const memory = new Map([['root.json', await fs.readFile(root)]]);
  await client.drive(fetchMetadata, memory);
  for (const wanted of [name, POLICY]) {
    client.lookUp(wanted);
    await client.drive(fetchMetadata, memory);
  }
  const policy = found(client);
  // What is listed and not in the folder could not be had: whoever reads the folder says so.
  if (policy) await fetchFile(`targets/${policy.fetchPath}`).catch((error) => console.error(`the policy: ${error.message}`));
}

function found(client) {
  try {
    return client.found();
  } catch (error) {
    if (error instanceof NotFound) return undefined;
    throw error;
  }
}

/** Where the repository is in a folder. */
async function local(temporary, at) {
  if (!repository.includes('://')) return repository;
  await mirror(repository, temporary, at);
  return temporary;
}

const temporary = await fs.mkdtemp(path.join(os.tmpdir(), 'trust-'));
try {
  const at = now();
  const folder = await local(temporary, at);
  const trust = await TrustRoot.open(await fs.readFile(root), path.join(folder, 'metadata'), store, at);
  const source = await Source.open(reference);
  const verified = await trust.verify(source, name, at);
  console.log(`${name} is ${verified.digest}`);
  if (policyFile) {
    await (await PolicyFile.open(policyFile)).verify(source, at, { name });
    console.log('the policy accepts it, too');
  }
} catch (error) {
  if (!(error instanceof TouchmarkError)) throw error;
  console.error(`${error.message} (${error.code})`);
  process.exitCode = error instanceof UntrustedMetadata ? 5 : error instanceof Unknown ? 4 : 1;
} finally {
  await fs.rm(temporary, { recursive: true });
}
