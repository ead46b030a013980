'use strict';

// Alone in its process: another package has used koffi before. What would run on a stack that is too small is refused, all else works.

const assert = require('node:assert/strict');
const { test } = require('node:test');
const koffi = require('koffi');

test('another package was first', async () => {
  koffi.load(process.env.TOUCHMARK_LIBRARY);
  const touchmark = require('touchmark');
  const key = touchmark.PrivateKey.generate();
  const envelope = touchmark.Envelope.sign('text/plain', Buffer.from('x'), [key.signer()]);
  envelope.verify([key.publicKey]);
  await assert.rejects(touchmark.Source.open('oci:nowhere'), /load touchmark first/);
  await assert.rejects(key.toEncryptedPem('a passphrase'), /load touchmark first/);
});
