package dev.touchmark;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.time.Instant;
import org.junit.jupiter.api.function.Executable;

/** What the tests share. */
final class Fixtures {
    /** The time of the vectors. */
    static final Instant NOW = Instant.ofEpochSecond(1795824000);

    private Fixtures() {}

    /** One of an image without content. */
    static final byte[] MANIFEST = ("{\"schemaVersion\":2,\"mediaType\":\"application/vnd.oci.image.manifest.v1+json\",\"config\":{"
            + "\"mediaType\":\"application/vnd.oci.empty.v1+json\","
            + "\"digest\":\"sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a\",\"size\":2},\"layers\":[]}")
            .getBytes(StandardCharsets.UTF_8);

    /** The case of the vectors with this id. */
    static Members vector(String id) throws IOException {
        JsonObject index = JsonParser.parseString(Files.readString(VectorsTest.FOLDER.resolve("index.json"))).getAsJsonObject();
        for (Members each : new Members(VectorsTest.FOLDER, index).parts("cases")) {
            if (id.equals(each.text("id"))) {
                return each;
            }
        }
        throw new AssertionError("there is no vector " + id);
    }

    /** Fails unless the body throws exactly this class with this status. */
    static <T extends TouchmarkException> T refused(Class<T> type, Status status, Executable body) {
        T e = assertThrows(type, body);
        assertEquals(status, e.status(), e.getMessage());
        assertFalse(e.getMessage().isEmpty());
        assertTrue(JsonParser.parseString(e.json()).isJsonObject());
        return e;
    }
}
