package dev.touchmark;

import static dev.touchmark.Fixtures.NOW;
import static dev.touchmark.Fixtures.refused;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.FileNotFoundException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.spec.ECGenParameterSpec;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class CallbacksTest {
    private static final byte[] HELLO = "hello".getBytes(StandardCharsets.UTF_8);

    private final Members honest = Fixtures.vector("tuf-honest");
    private final Fetcher repository = Fetcher.ofFolder(honest.path(honest.parts("updates").get(0).text("repository")));

    CallbacksTest() throws IOException {}

    private static KeyPair pair(String algorithm, String curve) throws Exception {
        KeyPairGenerator generator = KeyPairGenerator.getInstance(algorithm);
        if (curve != null) {
            generator.initialize(new ECGenParameterSpec(curve));
        }
        return generator.generateKeyPair();
    }

    @Test
    void keysOfThePlatformSign() throws Exception {
        List<KeyPair> pairs = List.of(pair("Ed25519", null), pair("EC", "secp256r1"));
        List<Signer> signers = new ArrayList<>();
        List<PublicKey> keys = new ArrayList<>();
        for (KeyPair each : pairs) {
            signers.add(Signer.of(each));
            keys.add(PublicKey.of(each.getPublic()));
        }
        assertEquals(2, Envelope.sign("text/plain", HELLO, signers).verify(keys, 2).keyIds().size());
        KeyPair rsa = pair("RSA", null);
        assertThrows(TouchmarkException.InvalidArgument.class, () -> Signer.of(rsa));
    }

    private static void sign(Signer.Function function) throws TouchmarkException {
        try (PrivateKey key = PrivateKey.generate(KeyAlgorithm.ED25519); PublicKey half = key.publicKey()) {
            Envelope.sign("text/plain", HELLO, List.of(Signer.of(half, function)));
        }
    }

    @Test
    void whatASignerThrowsIsTheCause() {
        for (Throwable thrown : List.of(new IOException("the token is locked"), new IllegalStateException(), new AssertionError())) {
            TouchmarkException e = refused(TouchmarkException.CallbackFailed.class, Status.CALLBACK_FAILED, () -> sign(message -> {
                if (thrown instanceof Error error) {
                    throw error;
                }
                throw (Exception) thrown;
            }));
            assertSame(thrown, e.getCause());
        }
    }

    @Test
    void aSignatureThatIsNoneIsRefused() {
        for (byte[] signature : new byte[][] {new byte[0], new byte[1], new byte[64], new byte[1 << 20]}) {
            assertThrows(TouchmarkException.class, () -> sign(message -> signature));
        }
    }

    private Map<String, byte[]> files() throws IOException {
        return new HashMap<>(Map.of("root.json", honest.input("root")));
    }

    @Test
    void anUpdateByStepsAndByCallbacksIsTheSame() throws Exception {
        Map<String, byte[]> driven = files();
        Map<String, byte[]> stepped = files();
        try (TufClient client = new TufClient(NOW, false); TufClient other = new TufClient(NOW, false)) {
            client.drive(repository, Store.ofMap(driven));
            for (TufClient.Step step = other.next(); step.kind() != TufClient.Kind.DONE; step = other.next()) {
                answer(other, step, stepped);
            }
            assertEquals(client.state(), other.state());
            assertEquals(driven.keySet(), stepped.keySet());
            refused(TouchmarkException.InvalidArgument.class, Status.WRONG_STATE, other::provideDone);
        }
    }

    private void answer(TufClient client, TufClient.Step step, Map<String, byte[]> files) throws Exception {
        switch (step.kind()) {
            case LOAD -> {
                if (files.containsKey(step.name())) {
                    client.provideBytes(files.get(step.name()));
                } else {
                    client.provideAbsent();
                }
            }
            case FETCH -> {
                try {
                    client.provideBytes(repository.fetch(step.name(), step.limit()));
                } catch (NoSuchFileException e) {
                    client.provideAbsent();
                }
            }
            case STORE -> {
                files.put(step.name(), step.content());
                client.provideDone();
            }
            case REMOVE -> {
                files.remove(step.name());
                client.provideDone();
            }
            default -> throw new AssertionError(step.kind());
        }
    }

    @Test
    void whatAFetcherThrowsIsTheCause() throws Exception {
        for (Exception thrown : List.of(new IOException("the cable is out"), new InterruptedException(), new IllegalStateException())) {
            try (TufClient client = new TufClient(NOW, false)) {
                Map<String, byte[]> files = files();
                TouchmarkException e = assertThrows(TouchmarkException.class, () -> client.drive((path, limit) -> {
                    throw thrown;
                }, Store.ofMap(files)));
                assertSame(thrown, e.getCause());
            }
        }
    }

    @Test
    void aFileThatCannotBeOpenedIsNotAbsent() throws Exception {
        try (TufClient client = new TufClient(NOW, false)) {
            // As FileInputStream says for what it may not read, or when too many files are open.
            Fetcher fetcher = (path, limit) -> {
                throw new FileNotFoundException(path + " (Too many open files)");
            };
            Map<String, byte[]> files = files();
            refused(TouchmarkException.Unknown.class, Status.UNKNOWN, () -> client.drive(fetcher, Store.ofMap(files)));
        }
        assertEquals(2, Failure.of(new FileNotFoundException()).number());
        assertEquals(1, Failure.of(new NoSuchFileException("x")).number());
    }

    @Test
    void aTrustRootWhoseFetcherIsWrongLeavesItsStore(@TempDir Path store) throws Exception {
        byte[] root = honest.input("root");
        TrustRoot.open(root, repository, null, store, NOW).close();
        IllegalStateException thrown = new IllegalStateException();
        TouchmarkException e = assertThrows(TouchmarkException.class, () -> TrustRoot.open(root, (path, limit) -> {
            throw thrown;
        }, null, store, NOW));
        assertSame(thrown, e.getCause());
        TrustRoot.open(root, repository, null, store, NOW).close(); // would wait for whoever has the store
    }

    @Test
    void aStepIsNotAnsweredByNull() throws Exception {
        try (TufClient client = new TufClient(NOW, false)) {
            client.next();
            assertThrows(NullPointerException.class, () -> client.provideBytes(null));
        }
    }

    @Test
    void whatIsNoFailureOfThePlaceEndsTheUpdateThoughTheStoreWouldDo() throws Exception {
        Map<String, byte[]> files = files();
        try (TufClient client = new TufClient(NOW, false)) {
            client.drive(repository, Store.ofMap(files));
        }
        InterruptedException thrown = new InterruptedException();
        try (TufClient client = new TufClient(NOW, false)) {
            TouchmarkException e = assertThrows(TouchmarkException.class, () -> client.drive((path, limit) -> {
                throw thrown;
            }, Store.ofMap(files)));
            assertSame(thrown, e.getCause());
        }
    }

    @Test
    void aCallbackMustNotUseTheClientThatCallsIt() throws Exception {
        Map<String, byte[]> files = files();
        List<TouchmarkException> refusals = new ArrayList<>();
        try (TufClient client = new TufClient(NOW, false)) {
            client.drive((path, limit) -> {
                refusals.add(refused(TouchmarkException.InvalidArgument.class, Status.WRONG_STATE, client::state));
                return repository.fetch(path, limit);
            }, Store.ofMap(files));
        }
        assertTrue(!refusals.isEmpty());
    }

    @Test
    void aTrustRootDecides(@TempDir Path store) throws Exception {
        Members entry = Fixtures.vector("standing-entry");
        byte[] root = entry.input("root");
        byte[] manifest = entry.input("manifest");
        String name = entry.text("name");
        Path metadata = entry.path(entry.text("repository"));
        Fetcher fetcher = Fetcher.ofFolder(metadata);
        List<String> fetched = new ArrayList<>();
        Fetcher noting = (path, limit) -> {
            fetched.add(path);
            return fetcher.fetch(path, limit);
        };
        try (TrustRoot first = TrustRoot.open(root, noting, null, store.resolve("a"), NOW);
                TrustRoot second = TrustRoot.open(root, metadata, store.resolve("b"), NOW)) {
            System.gc();
            for (TrustRoot each : List.of(first, second)) {
                Standing standing = each.standing(name);
                assertTrue(standing.expires().isAfter(NOW));
                assertTrue(standing.toJson().startsWith("{"));
                Policy policy = Policy.ofStanding(standing).acceptOnly(Set.of(Policy.Acceptance.ENTRY)).build();
                assertEquals(name, Touchmark.verifyManifest(policy, manifest, List.of(), NOW).name());
                refused(TouchmarkException.NotVerified.class, Status.NOT_VERIFIED,
                        () -> Touchmark.verifyManifest(policy, Fixtures.MANIFEST, List.of(), NOW));
                each.notes();
            }
        }
        assertTrue(!fetched.isEmpty());
    }

    @Test
    void aPlaceThatCannotBeReachedIsNotUnsigned() throws Exception {
        Policy policy = Policy.ofKeys(List.of(PrivateKey.generate(KeyAlgorithm.ED25519).publicKey()), 1).build();
        Request request = new Request(policy, Touchmark.digest(DigestAlgorithm.SHA256, HELLO), NOW);
        refused(TouchmarkException.Unknown.class, Status.UNKNOWN, () -> Search.decide(request, new Place() {
            @Override
            public byte[] manifest(String digest, long limit) throws IOException {
                throw new IOException("the cable is out");
            }

            @Override
            public Referrers referrers(Search.Need need) throws IOException {
                throw new IOException("the cable is out");
            }

            @Override
            public byte[] blob(String digest, long limit) throws IOException {
                throw new IOException("the cable is out");
            }

            @Override
            public Hashed hash(String digest, long size) throws IOException {
                throw new IOException("the cable is out");
            }
        }));
    }
}
