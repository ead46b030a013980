package dev.touchmark;

import static dev.touchmark.Fixtures.NOW;
import static dev.touchmark.Fixtures.refused;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertSame;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.FutureTask;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.api.io.TempDir;

/** The policy that a trust repository signs itself, and what policy files are asked. */
class OwnPolicyTest {
    private static final String NAME = "acme/tool:1";
    private static final String REJECTS = "{\"version\":1,\"rules\":[{\"names\":\"acme/tool:1\",\"reject\":true},{\"names\":\"acme/**\",\"trust\":\"self\"}]}";
    private static final String ACCEPTS = "{\"version\":1,\"rules\":[{\"names\":\"acme/tool:*\",\"trust\":\"self\"}]}";
    private static final String NO_RULES = "{\"version\":1,\"rules\":[]}";
    private static final Class<TouchmarkException.InvalidArgument> ARGUMENT = TouchmarkException.InvalidArgument.class;
    private static final Class<TouchmarkException.PolicyRejected> POLICY = TouchmarkException.PolicyRejected.class;

    @TempDir
    private Path folder;

    /** Nobody signed it. */
    private final Source tool = source("unsigned");
    private int stores;

    OwnPolicyTest() throws TouchmarkException {}

    private static Source source(String tag) throws TouchmarkException {
        return new Source("oci:../../testdata/layouts/signed:" + tag);
    }

    private Path fresh() {
        return folder.resolve("fresh-" + stores++);
    }

    private static Published listing(String policy) throws Exception {
        return new Published(policy, Map.of(NAME, source("unsigned")));
    }

    private TrustRoot open(Published repository) throws TouchmarkException {
        return repository.open(fresh(), repository.fetcher("targets"));
    }

    private TrustRoot openFolder(Published repository) throws IOException, TouchmarkException {
        Path written = fresh();
        repository.writeTo(written);
        return TrustRoot.open(repository.root(), written.resolve("metadata"), fresh(), NOW);
    }

    @Test
    void aTrustRootAsksThePolicyThatItsRepositorySigns() throws Exception {
        Map<String, Boolean> rejected = new HashMap<>(Map.of(ACCEPTS, false, REJECTS, true, NO_RULES, true));
        rejected.put(null, false);
        for (Map.Entry<String, Boolean> each : rejected.entrySet()) {
            Published repository = listing(each.getKey());
            for (TrustRoot root : List.of(open(repository), openFolder(repository))) {
                try (root; Standing standing = root.standing(NAME); Policy policy = Policy.ofStanding(standing).build()) {
                    // The standing knows nothing of it.
                    assertEquals(NAME, tool.verify(policy, NOW).name());
                    for (String name : List.of(NAME, "acme/tool:*")) {
                        if (each.getValue()) {
                            refused(POLICY, Status.POLICY_REJECTED, () -> root.verify(tool, name, NOW));
                        } else {
                            assertEquals(NAME, root.verify(tool, name, NOW).name(), each.getKey());
                        }
                    }
                }
            }
        }
    }

    @Test
    void aTrustRootRefusesWhatItDoesNotList() throws Exception {
        Source closed = source("unsigned");
        closed.close();
        try (TrustRoot root = open(listing(ACCEPTS)); Source other = source("v1")) {
            refused(TouchmarkException.NotVerified.class, Status.NOT_VERIFIED, () -> root.verify(other, NAME, NOW));
            for (String none : new String[] {null, "", "no name"}) {
                refused(ARGUMENT, Status.INVALID_NAME, () -> root.verify(tool, none, NOW));
            }
            refused(ARGUMENT, Status.INVALID_TIME, () -> root.verify(tool, NAME, Instant.EPOCH));
            refused(ARGUMENT, Status.NULL_POINTER, () -> root.verify(closed, NAME, NOW));
            refused(TouchmarkException.UntrustedMetadata.class, Status.EXPIRED_METADATA,
                    () -> root.verify(tool, NAME, Instant.parse("2031-01-01T00:00:00Z")));
            assertEquals(NAME, root.verify(tool, NAME, NOW).name());
        }
    }

    @Test
    void aPolicyOfTheRepositoryThatIsNotToBeHadIsNotFoundOut() throws Exception {
        Published repository = listing(ACCEPTS);
        try (TrustRoot root = repository.open(fresh(), null)) {
            refused(TouchmarkException.Unknown.class, Status.UNKNOWN, () -> root.verify(tool, NAME, NOW));
        }
        IOException away = new IOException("the cable is out");
        Fetcher broken = (path, limit) -> {
            throw away;
        };
        try (TrustRoot root = repository.open(fresh(), broken)) {
            assertSame(away, refused(TouchmarkException.Unknown.class, Status.UNKNOWN, () -> root.verify(tool, NAME, NOW)).getCause());
        }
    }

    @Test
    void aTrustRootAnswersForTheImageOfAPlatform() throws Exception {
        String children = ACCEPTS.replace("\"self\"", "\"self\",\"children\":\"allow\"");
        try (Source multi = source("multi")) {
            try (TrustRoot root = open(new Published(children, Map.of(NAME, multi)))) {
                assertEquals(tool.digest(), root.verify(multi, NAME, "linux/arm64", NOW).digest());
                assertEquals(multi.digest(), root.verify(multi, NAME, NOW).digest());
                for (String none : List.of("", "linux")) {
                    refused(ARGUMENT, Status.INVALID_ARGUMENT, () -> root.verify(multi, NAME, none, NOW));
                }
            }
            try (TrustRoot root = open(new Published(ACCEPTS, Map.of(NAME, multi)))) {
                refused(POLICY, Status.POLICY_REJECTED, () -> root.verify(multi, NAME, "linux/arm64", NOW));
            }
        }
    }

    /** What a trust root does one at a time. */
    private List<Executable> steps(TrustRoot root) {
        return List.of(() -> root.standing(NAME), () -> root.target("_touchmark/policy.json"), root::notes, () -> root.verify(tool, NAME, NOW));
    }

    private static void used(List<Executable> all) {
        for (Executable each : all) {
            assertEquals("the handle is being used", refused(ARGUMENT, Status.WRONG_STATE, each).getMessage());
        }
    }

    @Test
    void aDecisionHasTheTrustRootUntilItEnds() throws Throwable {
        Published repository = listing(ACCEPTS);
        CountDownLatch asked = new CountDownLatch(1);
        CountDownLatch goOn = new CountDownLatch(1);
        Fetcher waiting = (path, limit) -> {
            asked.countDown();
            goOn.await();
            return repository.fetcher("targets").fetch(path, limit);
        };
        try (TrustRoot root = repository.open(fresh(), waiting)) {
            FutureTask<String> deciding = new FutureTask<>(() -> {
                try {
                    return root.verify(tool, NAME, NOW).name();
                } finally {
                    asked.countDown();
                }
            });
            new Thread(deciding).start();
            try {
                asked.await();
                used(steps(root));
            } finally {
                goOn.countDown();
            }
            assertEquals(NAME, deciding.get());
            for (Executable each : steps(root)) {
                each.execute();
            }
        }
    }

    @Test
    void aFetcherMustNotUseTheTrustRootThatAsksIt() throws Exception {
        Published repository = listing(ACCEPTS);
        List<TrustRoot> opened = new ArrayList<>();
        List<String> fetched = new ArrayList<>();
        Fetcher asking = (path, limit) -> {
            used(steps(opened.get(0)));
            fetched.add(path);
            return repository.fetcher("targets").fetch(path, limit);
        };
        try (TrustRoot root = repository.open(fresh(), asking)) {
            opened.add(root);
            assertEquals(NAME, root.verify(tool, NAME, NOW).name());
        }
        assertFalse(fetched.isEmpty());
    }

    @Test
    void closingTakesNothingFromADecision() throws Exception {
        Published repository = listing(REJECTS);
        List<Handle> opened = new ArrayList<>();
        Fetcher closing = (path, limit) -> {
            for (Handle each : opened) {
                each.close();
            }
            return repository.fetcher("targets").fetch(path, limit);
        };
        TrustRoot root = repository.open(fresh(), closing);
        Source once = source("unsigned");
        opened.addAll(List.of(root, once));
        refused(POLICY, Status.POLICY_REJECTED, () -> root.verify(once, NAME, NOW));
        refused(ARGUMENT, Status.NULL_POINTER, () -> root.verify(tool, NAME, NOW));
    }

    @Test
    void whatAFetcherThrowsEndsTheDecision() throws Exception {
        IllegalStateException thrown = new IllegalStateException();
        Fetcher wrong = (path, limit) -> {
            throw thrown;
        };
        try (TrustRoot root = listing(ACCEPTS).open(fresh(), wrong)) {
            for (int i = 0; i < 2; i++) {
                Executable deciding = () -> root.verify(tool, NAME, NOW);
                assertSame(thrown, refused(TouchmarkException.Unknown.class, Status.UNKNOWN, deciding).getCause());
            }
            root.notes();
        }
    }

    /** A policy of these rules, which may speak of the key {@code alice.pub} and of a trust root, {@code ours}. */
    private PolicyFile policyFile(String rules, Published ours) throws IOException, TouchmarkException {
        Path written = fresh();
        Files.createDirectories(written);
        Files.copy(Path.of("../../testdata/layouts/alice.pub"), written.resolve("alice.pub"));
        String trust = "";
        if (ours != null) {
            ours.writeTo(written.resolve("trust"));
            trust = "\"trust\":{\"ours\":{\"root\":\"trust/metadata/1.root.json\",\"source\":\"./trust\",\"store\":\"none\"}},";
        }
        Path document = written.resolve("policy.json");
        Files.write(document, ("{\"version\":1," + trust + "\"rules\":[" + rules + "]}").getBytes(StandardCharsets.UTF_8));
        return new PolicyFile(document);
    }

    @Test
    void aPolicyFileIsAskedForNames() throws Exception {
        try (PolicyFile file = policyFile("{\"names\":\"acme/x:*\",\"keys\":\"alice.pub\"}", null); Source signed = source("v1")) {
            assertEquals("acme/x:1", file.verify(signed, "acme/x:1", NOW).name());
            assertEquals("acme/x:1", file.verify(signed, "acme/x:*", NOW).name());
            refused(POLICY, Status.POLICY_REJECTED, () -> file.verify(signed, NOW));
            refused(POLICY, Status.POLICY_REJECTED, () -> file.verify(signed, null, NOW));
            refused(POLICY, Status.POLICY_REJECTED, () -> file.verify(signed, "acme/y:1", NOW));
            refused(TouchmarkException.NotVerified.class, Status.NOT_VERIFIED, () -> file.verify(signed, "acme/x:2", NOW));
            for (String none : List.of("", "no name")) {
                refused(ARGUMENT, Status.INVALID_NAME, () -> file.verify(signed, none, NOW));
            }
        }
    }

    @Test
    void aPolicyFileAnswersForTheImageOfAPlatform() throws Exception {
        String rule = "{\"names\":\"acme/multi:*\",\"keys\":\"alice.pub\"";
        try (PolicyFile file = policyFile(rule + ",\"children\":\"allow\"}", null);
                PolicyFile other = policyFile(rule + "}", null);
                Source multi = source("multi")) {
            assertEquals(tool.digest(), file.verify(multi, "acme/multi:1", "linux/arm64", NOW).digest());
            refused(ARGUMENT, Status.INVALID_ARGUMENT, () -> file.verify(multi, "acme/multi:1", "", NOW));
            refused(POLICY, Status.POLICY_REJECTED, () -> other.verify(multi, "acme/multi:1", "linux/arm64", NOW));
        }
    }

    @Test
    void aPolicyFileAsksThePolicyThatATrustRepositorySigns() throws Exception {
        String rule = "{\"names\":\"acme/**\",\"trust\":\"ours\"}";
        try (PolicyFile accepts = policyFile(rule, listing(ACCEPTS)); PolicyFile rejects = policyFile(rule, listing(REJECTS))) {
            assertEquals(NAME, accepts.verify(tool, NAME, NOW).name());
            refused(POLICY, Status.POLICY_REJECTED, () -> rejects.verify(tool, NAME, NOW));
        }
    }
}
