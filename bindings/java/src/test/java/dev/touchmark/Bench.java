package dev.touchmark;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** Prints what one verification costs: an envelope is read and verified by a key that is kept. {@code Bench ENVELOPE KEY [ROUNDS]} */
final class Bench {
    private Bench() {}

    public static void main(String[] args) throws Exception {
        byte[] document = Files.readAllBytes(Path.of(args[0]));
        int rounds = args.length > 2 ? Integer.parseInt(args[2]) : 5000;
        try (PublicKey key = PublicKey.read(Files.readAllBytes(Path.of(args[1])))) {
            List<PublicKey> keys = List.of(key);
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
