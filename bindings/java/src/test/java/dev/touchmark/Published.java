package dev.touchmark;

import com.google.gson.Gson;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.Signature;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;

/** A trust repository with one key, which lists artifacts by their names and signs a policy of its own. */
final class Published {
    private static final Gson GSON = new Gson();

    private final KeyPair pair;
    private final String id;
    private final Map<String, byte[]> files = new HashMap<>();

    /** Without a policy if that is null. */
    Published(String policy, Map<String, Source> entries) throws Exception {
        pair = KeyPairGenerator.getInstance("Ed25519").generateKeyPair();
        byte[] encoded = pair.getPublic().getEncoded();
        String raw = HexFormat.of().formatHex(Arrays.copyOfRange(encoded, encoded.length - 32, encoded.length));
        Map<String, Object> key = Map.of("keytype", "ed25519", "scheme", "ed25519", "keyval", Map.of("public", raw));
        id = sha256(canonical(key));
        Map<String, Object> targets = new HashMap<>();
        for (Map.Entry<String, Source> each : entries.entrySet()) {
            targets.put(each.getKey(), listed(each.getValue().manifest()));
        }
        if (policy != null) {
            byte[] content = policy.getBytes(StandardCharsets.UTF_8);
            targets.put("_touchmark/policy.json", listed(content));
            files.put("targets/_touchmark/" + sha256(content) + ".policy.json", content);
        }
        Map<String, Object> role = Map.of("keyids", List.of(id), "threshold", 1);
        Map<String, Object> first = Map.of("version", 1);
        sign("1.root.json", "root", Map.of("consistent_snapshot", true, "keys", Map.of(id, key),
                "roles", Map.of("root", role, "timestamp", role, "snapshot", role, "targets", role)));
        sign("1.targets.json", "targets", Map.of("targets", targets));
        sign("1.snapshot.json", "snapshot", Map.of("meta", Map.of("targets.json", first)));
        sign("timestamp.json", "timestamp", Map.of("meta", Map.of("snapshot.json", first)));
    }

    private static byte[] canonical(Object document) throws TouchmarkException {
        return Touchmark.canonicalJson(GSON.toJson(document).getBytes(StandardCharsets.UTF_8));
    }

    private static String sha256(byte[] content) throws TouchmarkException {
        return Touchmark.digest(DigestAlgorithm.SHA256, content).substring("sha256:".length());
    }

    private static Map<String, Object> listed(byte[] content) throws TouchmarkException {
        return Map.of("length", content.length, "hashes", Map.of("sha256", sha256(content)));
    }

    private void sign(String file, String role, Map<String, Object> members) throws Exception {
        Map<String, Object> signed = new HashMap<>(members);
        signed.putAll(Map.of("_type", role, "spec_version", "1.0.34", "version", 1, "expires", "2030-01-01T00:00:00Z"));
        Signature signature = Signature.getInstance("Ed25519");
        signature.initSign(pair.getPrivate());
        signature.update(canonical(signed));
        String sig = HexFormat.of().formatHex(signature.sign());
        files.put("metadata/" + file, canonical(Map.of("signed", signed, "signatures", List.of(Map.of("keyid", id, "sig", sig)))));
    }

    byte[] root() {
        return files.get("metadata/1.root.json");
    }

    /** The files below {@code metadata} or {@code targets}. */
    Fetcher fetcher(String kind) {
        return (path, limit) -> files.get(kind + "/" + path);
    }

    /** Opens it, with these files of targets. */
    TrustRoot open(Path store, Fetcher targets) throws TouchmarkException {
        return TrustRoot.open(root(), fetcher("metadata"), targets, store, Fixtures.NOW);
    }

    void writeTo(Path folder) throws IOException {
        for (Map.Entry<String, byte[]> each : files.entrySet()) {
            Path file = folder.resolve(each.getKey());
            Files.createDirectories(file.getParent());
            Files.write(file, each.getValue());
        }
    }
}
