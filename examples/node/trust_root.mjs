#!/usr/bin/env node
// Verifies an artifact by a trust root on a server: what it is listed as now, and that nobody has revoked it. Then by a policy file, if there is
// one.
//
//     trust_root.mjs ROOT URL STORE NAME REFERENCE [POLICY]
//
// ROOT is the root.json that was given to you once, URL where the metadata is; STORE is a folder that keeps what was seen last, so that
// nothing older comes back.

import fs from 'node:fs/promises';
import path from 'node:path';
import { Accept, Client, Policy, PolicyFile, Source, TouchmarkError, Unknown, UntrustedMetadata, now } from 'touchmark';

const [root, url, folder, name, reference, policyFile] = process.argv.slice(2);

/** What is like a Map, with a folder behind it. A file is written whole or not at all. */
const store = {
  async get(file) {
    try {
      return await fs.readFile(path.join(folder, file));
    } catch (error) {
      if (error.code === 'ENOENT') return undefined;
      throw error;
    }
  },
  async set(file, data) {
    const target = path.join(folder, file);
    await fs.mkdir(path.dirname(target), { recursive: true });
    await fs.writeFile(`${target}.new`, data, { flush: true });
    await fs.rename(`${target}.new`, target);
  },
  delete: (file) => fs.rm(path.join(folder, file), { force: true }),
};

/** Only 404 says that there is no such file; all else is "could not find out". */
async function fetchFile(file) {
  const answer = await fetch(new URL(file, url), { signal: AbortSignal.timeout(30_000) });
  if (answer.status === 404) return null;
  if (!answer.ok) throw new Error(`the server answers ${answer.status}`);
  return answer.arrayBuffer();
}

try {
  const at = now();
  if ((await store.get('root.json')) === undefined) await store.set('root.json', await fs.readFile(root));
  const client = new Client(at);
  await client.drive(fetchFile, store);
  client.lookUp(name);
  await client.drive(fetchFile, store);
  // The list of names decides alone: no signature can bring back what the list has left behind.
  const policy = Policy.fromStanding(client.standing(name), { name, acceptOnly: Accept.ENTRY });
  const source = await Source.open(reference);
  const verified = await source.verify(policy, at);
  console.log(`${name} is ${verified.digest}`);
  if (policyFile) {
    await (await PolicyFile.open(policyFile)).verify(source, at);
    console.log('the policy accepts it, too');
  }
} catch (error) {
  if (!(error instanceof TouchmarkError)) throw error;
  console.error(`${error.message} (${error.code})`);
  process.exitCode = error instanceof UntrustedMetadata ? 5 : error instanceof Unknown ? 4 : 1;
}
