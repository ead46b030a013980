package dev.touchmark;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Base64;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** The members of an object of the vectors. */
final class Members {
    private final Path folder;
    private final JsonObject object;
    private static final Set<String> COMMON = Set.of("id", "operation", "expect", "why", "spec");

    Members(Path folder, JsonObject object) {
        this.folder = folder;
        this.object = object;
    }

    /** The member, or null. */
    JsonElement get(String name) {
        return object.get(name);
    }

    /** Fails if there is a member that is not among these nor among those of every case, so that nothing is left out in silence. */
    Members only(String... known) {
        Set<String> rest = new HashSet<>(object.keySet());
        rest.removeAll(COMMON);
        rest.removeAll(Set.of(known));
        if (!rest.isEmpty()) {
            throw new AssertionError("unknown members " + rest);
        }
        return this;
    }

    String text(String name) {
        JsonElement member = get(name);
        return member == null ? null : member.getAsString();
    }

    int number(String name) {
        JsonElement member = get(name);
        return member == null ? 0 : member.getAsInt();
    }

    /** A time; beyond those that an Instant has, the last one on that side. */
    Instant time(String name) {
        long seconds = get(name).getAsLong();
        return Instant.ofEpochSecond(Math.max(Instant.MIN.getEpochSecond(), Math.min(seconds, Instant.MAX.getEpochSecond())));
    }

    /** The bytes of an input. */
    byte[] input(String name) throws IOException {
        return input(get(name));
    }

    byte[] input(JsonElement element) throws IOException {
        Members in = new Members(folder, element.getAsJsonObject());
        if (in.names().size() != 1 || !Set.of("file", "text", "base64").containsAll(in.names())) {
            throw new AssertionError("an input is of one kind, and not " + in.names());
        }
        String file = in.text("file");
        String text = in.text("text");
        String base64 = in.text("base64");
        if (file != null) {
            return Files.readAllBytes(folder.resolve(file));
        }
        return text != null ? text.getBytes(StandardCharsets.UTF_8) : Base64.getDecoder().decode(base64);
    }

    List<byte[]> inputs(String name) throws IOException {
        List<byte[]> all = new ArrayList<>();
        JsonElement list = get(name);
        if (list != null) {
            for (JsonElement each : list.getAsJsonArray()) {
                all.add(input(each));
            }
        }
        return all;
    }

    Map<String, byte[]> namedInputs(String name) throws IOException {
        Map<String, byte[]> all = new LinkedHashMap<>();
        JsonElement member = get(name);
        if (member != null) {
            for (Map.Entry<String, JsonElement> each : member.getAsJsonObject().entrySet()) {
                all.put(each.getKey(), input(each.getValue()));
            }
        }
        return all;
    }

    List<String> texts(String name) {
        List<String> all = new ArrayList<>();
        JsonElement list = get(name);
        if (list != null) {
            list.getAsJsonArray().forEach(each -> all.add(each.getAsString()));
        }
        return all;
    }

    Map<String, String> pairs(String name) {
        Map<String, String> all = new LinkedHashMap<>();
        JsonElement member = get(name);
        if (member != null) {
            member.getAsJsonObject().entrySet().forEach(each -> all.put(each.getKey(), each.getValue().getAsString()));
        }
        return all;
    }

    Members part(String name) {
        JsonElement member = get(name);
        return member == null ? null : new Members(folder, member.getAsJsonObject());
    }

    List<Members> parts(String name) {
        List<Members> all = new ArrayList<>();
        JsonElement list = get(name);
        if (list != null) {
            list.getAsJsonArray().forEach(each -> all.add(new Members(folder, each.getAsJsonObject())));
        }
        return all;
    }

    List<PublicKey> keys(String name) throws IOException, TouchmarkException {
        List<PublicKey> all = new ArrayList<>();
        for (byte[] each : inputs(name)) {
            all.add(PublicKey.read(each));
        }
        return all;
    }

    Path path(String relative) {
        return folder.resolve(relative);
    }

    Set<String> names() {
        return object.keySet();
    }
}
