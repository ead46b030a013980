package dev.touchmark;

import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/**
 * Prints what one verification costs: an envelope is read and verified by a key that is kept. {@code Bench ROUNDS [ENVELOPE KEY]}; without files it
 * makes both.
 */
final class Bench {
    private Bench() {}

    public static void main(String[] args) throws Exception {
        int rounds = Integer.parseInt(args[0]);
        byte[] document;
        byte[] pem;
        if (args.length > 2) {
            document = Files.readAllBytes(Path.of(args[1]));
            pem = Files.readAllBytes(Path.of(args[2]));
        } else {
            PrivateKey made = PrivateKey.generate(KeyAlgorithm.ED25519);
            document = Envelope.sign("text/plain", new byte[500], List.of(Signer.of(made))).toJson();
            pem = made.publicKey().pem().getBytes(StandardCharsets.UTF_8);
        }
        try (PublicKey key = PublicKey.read(pem)) {
            List<PublicKey> keys = List.of(key);
            // The machine compiles what is called often: as much again goes before.
            for (int i = 0; i < rounds; i++) {
                verify(document, keys);
            }
            long begin = System.nanoTime();
            for (int i = 0; i < rounds; i++) {
                verify(document, keys);
            }
            System.out.printf("{\"language\":\"java\",\"ns\":%d}%n", (System.nanoTime() - begin) / rounds);
        }
    }

    private static void verify(byte[] document, List<PublicKey> keys) throws TouchmarkException {
        try (Envelope envelope = Envelope.parse(document); VerifiedEnvelope verified = envelope.verify(keys, 1)) {
            if (verified == null) {
                throw new AssertionError();
            }
        }
    }
}
