package dev.touchmark;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** The operations of the vectors that decide. */
final class Decisions {
    private static final String[] POLICY = {"keys", "threshold", "name", "annotations", "predicate_types", "at"};

    private Decisions() {}

    /** Of a case with a policy by keys. */
    private static Members only(Members m, String... own) {
        return m.only(Stream.concat(Stream.of(POLICY), Stream.of(own)).toArray(String[]::new));
    }

    private static Policy policy(Members m) throws IOException, TouchmarkException {
        String name = m.text("name");
        Map<String, String> annotations = m.pairs("annotations");
        List<String> predicates = m.texts("predicate_types");
        int threshold = m.number("threshold");
        Policy.Builder builder = Policy.ofKeys(m.keys("keys"), threshold);
        if (name != null) {
            builder.name(name);
        }
        for (Map.Entry<String, String> each : annotations.entrySet()) {
            builder.annotation(each.getKey(), each.getValue());
        }
        for (String each : predicates) {
            builder.predicate(each);
        }
        return builder.build();
    }

    private static Map<String, Object> facts(VerifiedArtifact artifact) throws TouchmarkException {
        JsonObject report = JsonParser.parseString(artifact.toJson()).getAsJsonObject();
        Map<String, Object> facts = new HashMap<>(Map.of("digest", artifact.digest(), "name", artifact.name()));
        facts.put("accepted_by", report.get("accepted_by"));
        return facts;
    }

    static Map<String, Object> verify(Members m) throws IOException, TouchmarkException {
        byte[] manifest = only(m, "manifest", "envelopes").input("manifest");
        List<byte[]> envelopes = m.inputs("envelopes");
        Instant at = m.time("at");
        return facts(Touchmark.verifyManifest(policy(m), manifest, envelopes, at));
    }

    /** A place in memory. */
    private record InMemory(Map<String, byte[]> manifests, Map<String, byte[]> blobs, Map<String, byte[]> lists, List<String> failing)
            implements Place {
        private byte[] get(Map<String, byte[]> from, String digest) throws IOException {
            if (failing.contains(digest)) {
                throw new IOException(digest + " cannot be reached");
            }
            byte[] found = from.get(digest);
            if (found == null) {
                throw new NoSuchFileException(digest);
            }
            return found;
        }

        @Override
        public byte[] manifest(String digest, long limit) throws IOException {
            return get(manifests, digest);
        }

        @Override
        public Referrers referrers(Search.Need need) throws IOException {
            byte[] index = "{\"schemaVersion\":2,\"mediaType\":\"application/vnd.oci.image.index.v1+json\",\"manifests\":[]}"
                    .getBytes(StandardCharsets.UTF_8);
            if (lists.containsKey(need.digest()) || failing.contains(need.digest())) {
                index = get(lists, need.digest());
            }
            return new Referrers(index, true, false);
        }

        @Override
        public byte[] blob(String digest, long limit) throws IOException {
            return get(blobs, digest);
        }

        @Override
        public Hashed hash(String digest, long size) throws IOException, TouchmarkException {
            byte[] content = get(blobs, digest);
            DigestAlgorithm algorithm = digest.startsWith("sha512:") ? DigestAlgorithm.SHA512 : DigestAlgorithm.SHA256;
            try (Hasher hasher = new Hasher(algorithm)) {
                long length = hasher.update(new ByteArrayInputStream(content));
                return new Hashed(hasher.finish(), length);
            }
        }
    }

    static Map<String, Object> search(Members m) throws IOException, TouchmarkException {
        Members store = only(m, "store", "artifact", "covered_by", "platform", "failing").part("store").only("manifests", "blobs", "referrers");
        Place place = new InMemory(store.namedInputs("manifests"), store.namedInputs("blobs"), store.namedInputs("referrers"), m.texts("failing"));
        String artifact = m.text("artifact");
        String coveredBy = m.text("covered_by");
        String platform = m.text("platform");
        Instant at = m.time("at");
        try (Request request = new Request(policy(m), artifact, at)) {
            if (coveredBy != null) {
                request.coveredBy(coveredBy);
            }
            if (platform != null) {
                request.platform(platform);
            }
            return facts(Search.decide(request, place));
        }
    }

    static Map<String, Object> tuf(Members m) throws IOException, TouchmarkException {
        Map<String, byte[]> store = new HashMap<>(Map.of("root.json", m.only("root", "updates").input("root")));
        for (Members update : m.parts("updates")) {
            String repository = update.only("repository", "at", "targets").text("repository");
            List<Members> targets = update.parts("targets");
            Fetcher fetcher = Fetcher.ofFolder(m.path(repository));
            TufClient[] client = new TufClient[1];
            VectorsTest.compare(update.part("expect"), update, u -> {
                client[0] = new TufClient(u.time("at"), false);
                client[0].drive(fetcher, Store.ofMap(store));
                return Map.of("versions", versions(client[0]));
            });
            for (Members target : targets) {
                VectorsTest.compare(target.part("expect"), target, t -> lookUp(client[0], t.only("path").text("path"), fetcher, store));
            }
            if (client[0] != null) {
                client[0].close();
            }
        }
        return Map.of();
    }

    private static Map<String, Long> versions(TufClient client) throws TouchmarkException {
        JsonObject state = JsonParser.parseString(client.state()).getAsJsonObject();
        Map<String, Long> versions = new TreeMap<>();
        for (String role : List.of("root", "timestamp", "snapshot", "targets")) {
            JsonElement trusted = state.get(role);
            if (trusted != null && trusted.isJsonObject()) {
                versions.put(role, trusted.getAsJsonObject().get("version").getAsLong());
            }
        }
        return versions;
    }

    private static Map<String, Object> lookUp(TufClient client, String path, Fetcher fetcher, Map<String, byte[]> store)
            throws TouchmarkException {
        client.lookUp(path);
        client.drive(fetcher, Store.ofMap(store));
        try (TufClient.Target found = client.found()) {
            JsonObject listed = JsonParser.parseString(found.toJson()).getAsJsonObject();
            return Map.of("length", found.length(), "role", found.role(), "sha256", listed.getAsJsonObject("hashes").get("sha256"));
        }
    }

    static Map<String, Object> standing(Members m) throws IOException, TouchmarkException {
        m.only("root", "repository", "at", "name", "manifest", "envelopes", "accept_only", "by_role");
        byte[] manifest = m.input("manifest");
        List<byte[]> envelopes = m.inputs("envelopes");
        Map<String, byte[]> files = new HashMap<>(Map.of("root.json", m.input("root")));
        Fetcher fetcher = Fetcher.ofFolder(m.path(m.text("repository")));
        Instant at = m.time("at");
        String name = m.text("name");
        String role = m.text("by_role");
        Set<Policy.Acceptance> kinds = m.texts("accept_only").stream().map(kind -> Policy.Acceptance.valueOf(kind.toUpperCase(Locale.ROOT)))
                .collect(Collectors.toSet());
        boolean acceptOnly = m.names().contains("accept_only");
        try (TufClient client = new TufClient(at, false)) {
            client.drive(fetcher, Store.ofMap(files));
            client.lookUp(name);
            client.drive(fetcher, Store.ofMap(files));
            Policy.Builder builder = Policy.ofStanding(client.standing(name));
            if (acceptOnly) {
                builder.acceptOnly(kinds);
            }
            if (role != null) {
                builder.byRole(role);
            }
            return facts(Touchmark.verifyManifest(builder.build(), manifest, envelopes, at));
        }
    }

    /** A folder of vectors. No inspection is answered. */
    record Folder(Path folder) implements Links {
        @Override
        public byte[] file(String path, long limit) throws IOException {
            return Files.readAllBytes(folder.resolve(path));
        }

        @Override
        public List<String> names(String below, String step) throws IOException {
            Pattern link = Pattern.compile(Pattern.quote(step) + "\\.[0-9a-f]{8}\\.link");
            List<String> names = new ArrayList<>();
            if (Files.isDirectory(folder.resolve(below))) {
                try (Stream<Path> files = Files.list(folder.resolve(below))) {
                    files.map(file -> file.getFileName().toString()).filter(link.asMatchPredicate()).forEach(names::add);
                }
            }
            return names;
        }

        @Override
        public byte[] inspection(String name, String below) {
            return null;
        }
    }

    static Map<String, Object> supplyChain(Members m) throws IOException, TouchmarkException {
        byte[] layout = m.only("layout", "keys", "links", "parameters", "at").input("layout");
        Links links = new Folder(m.path(m.text("links")));
        Map<String, String> parameters = m.pairs("parameters");
        Instant at = m.time("at");
        try (SupplyChain chain = new SupplyChain(layout, m.keys("keys"), parameters, at)) {
            chain.drive(links);
            return Map.of();
        }
    }

    static Map<String, Object> layout(Members m) throws IOException, TouchmarkException {
        String[] reference = only(m, "reference", "policy").text("reference").split(":", 2);
        String policy = m.text("policy");
        Instant at = m.time("at");
        try (Source source = new Source(reference[0] + ":" + m.path(reference[1]))) {
            if (policy != null) {
                return facts(new PolicyFile(m.path(policy)).verify(source, at));
            }
            return facts(source.verify(policy(m), at));
        }
    }
}
