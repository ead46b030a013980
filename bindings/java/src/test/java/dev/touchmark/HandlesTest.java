package dev.touchmark;

import static dev.touchmark.Fixtures.NOW;
import static dev.touchmark.Fixtures.refused;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;

/** Handles that are closed, and those that one driver has. */
class HandlesTest {
    private static final String USED = "the handle is being used";

    private final Members honest = Fixtures.vector("tuf-honest");
    private final Members golang = Fixtures.vector("supply-chain-golang-dsse");
    private final Fetcher repository = Fetcher.ofFolder(honest.path(honest.parts("updates").get(0).text("repository")));

    HandlesTest() throws IOException {}

    private Map<String, byte[]> files() throws IOException {
        return new HashMap<>(Map.of("root.json", honest.input("root")));
    }

    /** The methods that have no exception to say by that the handle is closed. */
    private static List<Method> getters(Handle handle) {
        return Arrays.stream(handle.getClass().getDeclaredMethods())
                .filter(each -> Modifier.isPublic(each.getModifiers()) && !Modifier.isStatic(each.getModifiers()) && !each.isBridge())
                .filter(each -> each.getParameterCount() == 0 && each.getExceptionTypes().length == 0).toList();
    }

    @Test
    void whatWasClosedSaysNothing() throws Exception {
        PrivateKey key = PrivateKey.generate(KeyAlgorithm.ED25519);
        PublicKey half = key.publicKey();
        Envelope envelope = Envelope.signManifest(Fixtures.MANIFEST, new Claims(null, null, Map.of(), NOW, null), List.of(Signer.of(key)));
        Policy policy = Policy.ofKeys(List.of(half), 1).build();
        VerifiedArtifact artifact = Touchmark.verifyManifest(policy, Fixtures.MANIFEST, List.of(envelope.toJson()), NOW);
        TufClient client = new TufClient(NOW, false);
        Store store = Store.ofMap(files());
        client.drive(repository, store);
        client.lookUp("file");
        client.drive(repository, store);
        TufClient.Target target = client.found();
        client.lookUp("acme/x");
        client.drive(repository, store);
        int asked = 0;
        for (Handle each : List.of(half, envelope, envelope.verify(List.of(half), 1), artifact, target, client.standing("acme/x"))) {
            for (Method getter : getters(each)) {
                getter.invoke(each);
            }
            each.close();
            for (Method getter : getters(each)) {
                Throwable thrown = assertThrows(InvocationTargetException.class, () -> getter.invoke(each), getter.toString()).getCause();
                assertInstanceOf(IllegalStateException.class, thrown, getter.toString());
                assertEquals("this " + each.getClass().getSimpleName() + " is closed", thrown.getMessage());
                asked++;
            }
        }
        assertEquals(17, asked);
    }

    /** Fails unless each of these is refused since somebody else uses the handle. */
    private static void used(List<Executable> all) {
        for (Executable each : all) {
            assertEquals(USED, refused(TouchmarkException.InvalidArgument.class, Status.WRONG_STATE, each).getMessage());
        }
    }

    /** Drives in another thread, and does something while that waits for what it has asked for. */
    private static void beside(Driver driver, Executable meanwhile) throws Throwable {
        CountDownLatch asked = new CountDownLatch(1);
        CountDownLatch goOn = new CountDownLatch(1);
        FutureTask<Void> driving = new FutureTask<>(() -> {
            try {
                driver.drive(() -> {
                    asked.countDown();
                    goOn.await();
                });
            } finally {
                asked.countDown();
            }
            return null;
        });
        new Thread(driving).start();
        try {
            asked.await();
            meanwhile.execute();
        } finally {
            goOn.countDown();
            driven(driving);
        }
    }

    private static void driven(FutureTask<Void> driving) throws Throwable {
        try {
            driving.get();
        } catch (ExecutionException e) {
            throw e.getCause();
        }
    }

    private interface Question {
        void ask() throws Exception;
    }

    private interface Driver {
        void drive(Question question) throws Exception;
    }

    private SupplyChain chain() throws IOException, TouchmarkException {
        return new SupplyChain(golang.input("layout"), golang.keys("keys"), Map.of(), NOW);
    }

    /** The links of the chain. The question is asked first. */
    private Links links(Question question) {
        Links links = new Decisions.Folder(golang.path(golang.text("links")));
        return new Links() {
            @Override
            public byte[] file(String path, long limit) throws IOException {
                try {
                    question.ask();
                } catch (RuntimeException | IOException e) {
                    throw e;
                } catch (Exception e) {
                    throw new AssertionError(e);
                }
                return links.file(path, limit);
            }

            @Override
            public List<String> names(String folder, String step) throws IOException {
                return links.names(folder, step);
            }

            @Override
            public byte[] inspection(String name, String folder) throws IOException {
                return links.inspection(name, folder);
            }
        };
    }

    private List<Executable> steps(SupplyChain chain) {
        return List.of(() -> chain.drive(links(() -> {})), chain::next, () -> chain.provideBytes(new byte[1]), chain::provideAbsent,
                () -> chain.provideNames(List.of(), true), () -> chain.provideFailure(new IOException("away")), chain::finish);
    }

    private List<Executable> steps(TufClient client) {
        return List.of(() -> client.drive(repository, Store.ofMap(files())), client::next, () -> client.provideBytes(new byte[1]), client::provideAbsent,
                client::provideDone, () -> client.provideFailure(new IOException("away")), () -> client.lookUp("file"), client::found,
                () -> client.standing("acme/x"), client::state);
    }

    @Test
    void aDriverHasTheSupplyChainUntilItEnds() throws Throwable {
        try (SupplyChain chain = chain()) {
            beside(question -> chain.drive(links(question)), () -> used(steps(chain)));
            // It is free again: the library refuses what comes too late.
            assertNotEquals(USED, refused(TouchmarkException.InvalidArgument.class, Status.WRONG_STATE, chain::provideAbsent).getMessage());
        }
    }

    @Test
    void aDriverHasTheClientUntilItEnds() throws Throwable {
        try (TufClient client = new TufClient(NOW, false)) {
            beside(question -> client.drive((path, limit) -> {
                question.ask();
                return repository.fetch(path, limit);
            }, Store.ofMap(files())), () -> used(steps(client)));
            assertTrue(client.state().startsWith("{"));
        }
    }

    @Test
    void linksMustNotUseTheSupplyChainThatAsksThem() throws Exception {
        List<String> asked = new ArrayList<>();
        try (SupplyChain chain = chain()) {
            chain.drive(links(() -> {
                used(steps(chain));
                asked.add("it was");
            }));
        }
        assertFalse(asked.isEmpty());
    }

    @Test
    void aDriverThatFailedLeavesTheSupplyChainToTheNext() throws Exception {
        try (SupplyChain chain = chain()) {
            IllegalStateException thrown = new IllegalStateException();
            assertEquals(thrown, assertThrows(IllegalStateException.class, () -> chain.drive(links(() -> {
                throw thrown;
            }))));
            chain.drive(links(() -> {})).close();
        }
    }

    @Test
    void closingTakesNothingFromADriver() throws Exception {
        SupplyChain chain = chain();
        chain.drive(links(chain::close)).close();
        refused(TouchmarkException.InvalidArgument.class, Status.NULL_POINTER, () -> chain.drive(links(() -> {})));
    }
}
