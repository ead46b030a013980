// What verifying one envelope costs: it is read, and verified by a key that was read before. Prints {"language", "ns"}, nanoseconds each.
//
//     node bench.mjs [ENVELOPE KEY [ROUNDS]]      files; without them an envelope of its own

import fs from 'node:fs';
import { Envelope, PrivateKey, PublicKey } from 'touchmark';

const ROUNDS = 20;
const CALLS = 500;

function own() {
  const key = PrivateKey.generate();
  const payload = Buffer.from(JSON.stringify({ _type: 'https://in-toto.io/Statement/v1', subject: [], predicate: 'x'.repeat(400) }));
  return [Envelope.sign('application/vnd.in-toto+json', payload, [key.signer()]).toJson(), key.publicKey];
}

const [, , file, keyFile, number = ROUNDS] = process.argv;
const [data, key] = file ? [fs.readFileSync(file), PublicKey.read(fs.readFileSync(keyFile))] : own();
const keys = [key];

function round() {
  const begin = process.hrtime.bigint();
  for (let call = 0; call < CALLS; call += 1) {
    const envelope = Envelope.parse(data);
    envelope.verify(keys).close();
    envelope.close();
  }
  return Number(process.hrtime.bigint() - begin) / CALLS;
}

round(); // warm
const rounds = Array.from({ length: Number(number) }, round).sort((a, b) => a - b);
console.log(JSON.stringify({ language: 'Node', ns: Math.round(rounds[Math.floor(rounds.length / 2)]) }));
