package dev.touchmark;

import static dev.touchmark.Fixtures.NOW;
import static dev.touchmark.Fixtures.refused;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TouchmarkTest {
    private static final byte[] HELLO = "hello".getBytes(StandardCharsets.UTF_8);

    @Test
    void versions() {
        assertFalse(Touchmark.version().isEmpty());
        assertTrue(Touchmark.abiVersion() > 0 && Touchmark.signs() && Touchmark.doesIo() && Touchmark.verifiesSupplyChains());
    }

    @Test
    void aLibraryOfAnotherInterfaceIsRefused() {
        C.checkVersion("libtouchmark.so", Touchmark.abiVersion());
        for (int other : new int[] {0, 2 << 12, 1 << 24, 1 << 24 | 1 << 12, -1}) {
            assertThrows(UnsatisfiedLinkError.class, () -> C.checkVersion("libtouchmark.so", other));
        }
    }

    @Test
    void whatIsNoTextIsRefusedAndBecomesNoOther() throws Exception {
        assertThrows(IllegalArgumentException.class, () -> Touchmark.checkName("acme/\ud800"));
        assertThrows(IllegalArgumentException.class, () -> new Source("oci:\udc00:1"));
        try (PublicKey key = PrivateKey.generate(KeyAlgorithm.ED25519).publicKey(); Policy.Builder builder = Policy.ofKeys(List.of(key), 1)) {
            assertThrows(NullPointerException.class, () -> builder.annotation("key", null));
            refused(TouchmarkException.InvalidArgument.class, Status.INVALID_NAME, () -> builder.name(null));
            builder.supplyChain(HELLO, List.of(key));
            refused(TouchmarkException.InvalidArgument.class, Status.WRONG_STATE, () -> builder.supplyChain(HELLO, List.of(key)));
        }
        try (PrivateKey key = PrivateKey.generate(KeyAlgorithm.ED25519)) {
            refused(TouchmarkException.InvalidArgument.class, Status.INVALID_NAME,
                    () -> Envelope.signManifest(Fixtures.MANIFEST, Claims.named("", NOW), List.of(Signer.of(key))));
        }
    }

    @Test
    void statusesHaveTheNamesOfTheLibrary() {
        for (Status status : Status.values()) {
            assertEquals(status.name(), Call.string(C.touchmark_status_name(status.number()).copied()));
            assertEquals(status, Status.of(status.number()));
        }
        assertEquals(Status.NOT_VERIFIED, Status.of(399));
        assertEquals(Status.INTERNAL, Status.of(12345));
    }

    @Test
    void keysAreWrittenAndRead() throws Exception {
        byte[] secret = "secret".getBytes(StandardCharsets.UTF_8);
        for (KeyAlgorithm algorithm : List.of(KeyAlgorithm.ED25519, KeyAlgorithm.ECDSA_P256)) {
            PrivateKey key = PrivateKey.generate(algorithm);
            PublicKey half = key.publicKey();
            byte[] encrypted = key.encryptedPem(secret);
            assertEquals(half.id(), PrivateKey.read(key.pem(), null).publicKey().id());
            assertEquals(half.id(), PrivateKey.read(encrypted, secret).publicKey().id());
            refused(TouchmarkException.InvalidArgument.class, Status.WRONG_PASSPHRASE, () -> PrivateKey.read(encrypted, HELLO));
            assertEquals(half.id(), PublicKey.read(half.pem().getBytes(StandardCharsets.UTF_8)).id());
            assertEquals(half.id(), PublicKey.ofRaw(algorithm, half.raw()).id());
            assertEquals(algorithm, half.algorithm());
        }
        refused(TouchmarkException.Malformed.class, Status.MALFORMED_KEY, () -> PublicKey.read(HELLO));
    }

    @Test
    void aHasherThatIsFinishedIsRefused() throws Exception {
        try (Hasher hasher = new Hasher(DigestAlgorithm.SHA256)) {
            hasher.update("abc".getBytes(StandardCharsets.UTF_8));
            assertEquals("sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad", hasher.finish());
            refused(TouchmarkException.InvalidArgument.class, Status.WRONG_STATE, hasher::finish);
        }
    }

    @Test
    void manifestsAreSignedAndVerified() throws Exception {
        byte[] manifest = Fixtures.MANIFEST;
        PrivateKey alice = PrivateKey.generate(KeyAlgorithm.ED25519);
        PrivateKey bob = PrivateKey.generate(KeyAlgorithm.ECDSA_P256);
        List<PublicKey> keys = List.of(alice.publicKey(), bob.publicKey());
        Claims claims = new Claims("acme/x:1", null, Map.of("channel", "stable"), NOW, NOW.plusSeconds(3600));
        Envelope envelope = Envelope.signManifest(manifest, claims, List.of(Signer.of(alice))).addSignature(Signer.of(bob));
        assertEquals(2, envelope.keyIds().size());
        List<byte[]> evidence = List.of("{}".getBytes(StandardCharsets.UTF_8), envelope.toJson());

        Policy policy = Policy.ofKeys(keys, 2).name("acme/x:1").annotation("channel", "stable").build();
        try (VerifiedArtifact artifact = Touchmark.verifyManifest(policy, manifest, evidence, NOW)) {
            assertEquals(Touchmark.digest(DigestAlgorithm.SHA256, manifest), artifact.digest());
            assertEquals("acme/x:1", artifact.name());
            assertEquals(manifest.length, artifact.size());
            assertArrayEquals(manifest, artifact.manifest());
            assertTrue(artifact.toJson().startsWith("{"));
        }
        Class<TouchmarkException.NotVerified> notVerified = TouchmarkException.NotVerified.class;
        refused(notVerified, Status.NOT_VERIFIED, () -> Touchmark.verifyManifest(policy, manifest, evidence, NOW.plusSeconds(7200)));
        refused(notVerified, Status.UNSIGNED, () -> Touchmark.verifyManifest(policy, manifest, List.of(), NOW));
        Policy other = Policy.ofKeys(keys, 2).name("acme/y:1").build();
        refused(notVerified, Status.NOT_VERIFIED, () -> Touchmark.verifyManifest(other, manifest, evidence, NOW));
        Class<TouchmarkException.InvalidArgument> argument = TouchmarkException.InvalidArgument.class;
        refused(argument, Status.INVALID_TIME, () -> Touchmark.verifyManifest(policy, manifest, evidence, Instant.EPOCH));
        refused(argument, Status.INVALID_TIME, () -> Envelope.signManifest(
                manifest, new Claims(null, null, Map.of(), NOW, Instant.EPOCH), List.of(Signer.of(alice))));
        for (int threshold : new int[] {-1, 0, 3}) {
            refused(argument, Status.INVALID_THRESHOLD, () -> Policy.ofKeys(keys, threshold).build());
        }
    }

    @Test
    void closedHandlesAreRefused() throws Exception {
        PrivateKey key = PrivateKey.generate(KeyAlgorithm.ED25519);
        PublicKey half = key.publicKey();
        Envelope envelope = Envelope.sign("text/plain", HELLO, List.of(Signer.of(key)));
        VerifiedEnvelope verified = envelope.verify(List.of(half), 1);
        for (AutoCloseable each : List.of(key, half, envelope, envelope)) {
            each.close();
        }
        assertArrayEquals(HELLO, verified.payload());
        Class<TouchmarkException.InvalidArgument> argument = TouchmarkException.InvalidArgument.class;
        refused(argument, Status.NULL_POINTER, () -> envelope.verify(List.of(half), 1));
        refused(argument, Status.NULL_POINTER, () -> Envelope.sign("text/plain", HELLO, List.of(Signer.of(key))));
    }

    @Test
    void handlesAreUsedByManyThreadsWhileTheyAreClosed() throws Exception {
        PrivateKey signing = PrivateKey.generate(KeyAlgorithm.ED25519);
        PublicKey key = signing.publicKey();
        Envelope envelope = Envelope.sign("text/plain", HELLO, List.of(Signer.of(signing)));
        ConcurrentLinkedQueue<Throwable> failures = new ConcurrentLinkedQueue<>();
        List<Thread> threads = Stream.generate(() -> new Thread(() -> {
            for (int i = 0; i < 50; i++) {
                try (VerifiedEnvelope verified = envelope.verify(List.of(key), 1)) {
                    assertTrue(verified.payload().length > 0);
                } catch (TouchmarkException e) {
                    if (e.status() != Status.NULL_POINTER) {
                        failures.add(e);
                    }
                } catch (RuntimeException | AssertionError e) {
                    failures.add(e);
                }
            }
            key.close();
        })).limit(16).toList();
        threads.forEach(Thread::start);
        for (Thread thread : threads) {
            thread.join();
        }
        assertTrue(failures.isEmpty(), failures.toString());
    }

    @Test
    void whatIsNotClosedIsFreed() throws Exception {
        byte[] document = Envelope.sign("text/plain", HELLO, List.of(Signer.of(PrivateKey.generate(KeyAlgorithm.ED25519)))).toJson();
        for (int i = 0; i < 2000; i++) {
            Envelope.parse(document);
            if (i % 500 == 0) {
                System.gc();
            }
        }
    }

    @Test
    void sourcesAreVerifiedAndSigned(@TempDir Path folder) throws Exception {
        Path from = Path.of("../../testdata/layouts/signed");
        try (Stream<Path> files = Files.walk(from)) {
            files.filter(Files::isRegularFile).forEach(file -> copy(file, folder.resolve(from.relativize(file).toString())));
        }
        Source source = new Source("oci:" + folder + ":unsigned");
        PrivateKey key = PrivateKey.generate(KeyAlgorithm.ECDSA_P256);
        Policy policy = Policy.ofKeys(List.of(key.publicKey()), 1).build();
        refused(TouchmarkException.NotVerified.class, Status.UNSIGNED, () -> source.verify(policy, NOW));
        Claims claims = new Claims(null, null, Map.of(), NOW, null);
        source.attach(List.of(Envelope.signManifest(source.manifest(), claims, List.of(Signer.of(key)))));
        assertEquals(source.digest(), source.verify(policy, NOW).digest());
        assertEquals(source.digest(), source.verify(new Request(policy, source.digest(), NOW).deep()).digest());
    }

    private static void copy(Path from, Path to) {
        try {
            Files.createDirectories(to.getParent());
            Files.copy(from, to);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
