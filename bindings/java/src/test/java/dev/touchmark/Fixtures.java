package dev.touchmark;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonParser;
import java.io.IOException;
import java.nio.file.Files;
import java.time.Instant;
import org.junit.jupiter.api.function.Executable;

/** What the tests share. */
final class Fixtures {
    /** The time of the vectors. */
    static final Instant NOW = Instant.ofEpochSecond(1795824000);

    private Fixtures() {}

    static byte[] file(String name) throws IOException {
        return Files.readAllBytes(VectorsTest.FOLDER.resolve(name));
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
