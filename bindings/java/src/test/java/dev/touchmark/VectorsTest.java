package dev.touchmark;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.Gson;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** The vectors that all languages share; SPEC.md, section 27. */
class VectorsTest {
    static final Path FOLDER = Path.of(System.getProperty("touchmark.vectors", "../../testdata/vectors"));

    /** What an operation does. It returns what it found, by the names of {@code expect}. */
    interface Operation {
        Map<String, Object> run(Members members) throws IOException, TouchmarkException;
    }

    private static final Map<String, Operation> OPERATIONS = Map.ofEntries(
            Map.entry("canonical-json", m -> Map.of("output", Touchmark.canonicalJson(m.only("document").input("document")))),
            Map.entry("digest", VectorsTest::digest),
            Map.entry("name", m -> {
                Touchmark.checkName(m.only("name").text("name"));
                return Map.of();
            }),
            Map.entry("public-key", m -> {
                PublicKey key = PublicKey.read(m.only("key").input("key"));
                return Map.of("algorithm", key.algorithm().toString(), "key_id", key.id());
            }),
            Map.entry("signature", m -> {
                byte[] message = m.only("key", "message", "signature").input("message");
                byte[] signature = m.input("signature");
                PublicKey.read(m.input("key")).verify(message, signature);
                return Map.of();
            }),
            Map.entry("envelope", VectorsTest::envelope),
            Map.entry("verify", Decisions::verify),
            Map.entry("search", Decisions::search),
            Map.entry("tuf", Decisions::tuf),
            Map.entry("standing", Decisions::standing),
            Map.entry("supply-chain", Decisions::supplyChain),
            Map.entry("policy-document", VectorsTest::policyDocument),
            Map.entry("layout", Decisions::layout));

    @Test
    void everyVectorEndsAsItSays() throws IOException {
        JsonObject object = JsonParser.parseString(Files.readString(FOLDER.resolve("index.json"))).getAsJsonObject();
        Members index = new Members(FOLDER, object).only("format", "cases");
        assertEquals(1, index.number("format"));
        List<Members> cases = index.parts("cases");
        List<String> failures = new ArrayList<>();
        for (Members each : cases) {
            try {
                run(each);
            } catch (IOException | RuntimeException | AssertionError e) {
                failures.add(each.text("id") + ": " + e);
            }
        }
        System.out.printf("Java: %d vectors passed, %d failed%n", cases.size() - failures.size(), failures.size());
        assertTrue(failures.isEmpty() && !cases.isEmpty(), String.join("\n", failures));
    }

    private static void run(Members members) throws IOException {
        Operation operation = OPERATIONS.get(members.text("operation"));
        if (operation == null) {
            throw new AssertionError("unknown operation " + members.text("operation"));
        }
        Members expect = members.part("expect");
        if (expect == null) {
            // Each part of the case has its own.
            assertEquals("tuf", members.text("operation"));
            expect = new Members(FOLDER, JsonParser.parseString("{\"status\":\"OK\"}").getAsJsonObject());
        }
        compare(expect, members, operation);
    }

    /** Runs an operation, and fails unless it ends so. */
    static void compare(Members expect, Members members, Operation operation) throws IOException {
        String status = "OK";
        String code = "";
        String message = "";
        Map<String, Object> found = Map.of();
        try {
            found = operation.run(members);
        } catch (TouchmarkException e) {
            status = e.status().name();
            code = e.code();
            message = e.getMessage();
            assertTrue(JsonParser.parseString(e.json()).isJsonObject() && !message.isEmpty(), "an error without message or JSON");
        }
        assertEquals(expect.text("status"), status, code + ": " + message);
        for (String name : expect.names()) {
            Object is = found.get(name);
            switch (name) {
                case "status" -> { }
                case "code" -> assertEquals(expect.text(name), code, message);
                case "output", "payload" -> assertTrue(is instanceof byte[] bytes && Arrays.equals(expect.input(name), bytes), name);
                default -> assertEquals(canonical(expect.get(name)), is == null ? null : canonical(is), name);
            }
        }
    }

    /** A value as canonical JSON, to be compared. */
    private static String canonical(Object value) {
        JsonElement element = value instanceof JsonElement e ? e : new Gson().toJsonTree(value);
        try {
            byte[] wrapped = ("[" + element + "]").getBytes(StandardCharsets.UTF_8);
            return new String(Touchmark.canonicalJson(wrapped), StandardCharsets.UTF_8);
        } catch (TouchmarkException e) {
            throw new AssertionError(e);
        }
    }

    private static Map<String, Object> digest(Members m) throws IOException, TouchmarkException {
        DigestAlgorithm algorithm = DigestAlgorithm.valueOf(m.only("algorithm", "document").text("algorithm").toUpperCase(Locale.ROOT));
        byte[] document = m.input("document");
        String digest = Touchmark.digest(algorithm, document);
        for (int size : new int[] {1, 7, 64}) {
            try (Hasher hasher = new Hasher(algorithm)) {
                for (int i = 0; i < document.length; i += size) {
                    hasher.update(Arrays.copyOfRange(document, i, Math.min(i + size, document.length)));
                }
                assertEquals(digest, hasher.finish());
            }
        }
        return Map.of("digest", digest);
    }

    private static Map<String, Object> envelope(Members m) throws IOException, TouchmarkException {
        int threshold = m.only("envelope", "keys", "threshold").number("threshold");
        List<byte[]> keys = m.inputs("keys");
        Envelope envelope = Envelope.parse(m.input("envelope"));
        List<PublicKey> read = new ArrayList<>();
        for (byte[] key : keys) {
            read.add(PublicKey.read(key));
        }
        VerifiedEnvelope verified = envelope.verify(read, threshold);
        return Map.of("payload", verified.payload(), "payload_type", verified.payloadType(),
                "keys", verified.keyIds().stream().sorted().toList());
    }

    private static Map<String, Object> policyDocument(Members m) throws IOException, TouchmarkException {
        List<Members> questions = m.only("document", "origin", "questions").parts("questions");
        PolicyDocument.Origin origin = PolicyDocument.Origin.valueOf(m.text("origin").toUpperCase(Locale.ROOT));
        PolicyDocument document = PolicyDocument.read(m.input("document"), origin);
        for (Members question : questions) {
            compare(question.part("expect"), question, q -> Map.of("rule",
                    JsonParser.parseString(document.decide(q.only("reference", "name").text("reference"), q.text("name")))));
        }
        return Map.of();
    }
}
