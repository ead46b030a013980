package dev.touchmark;

import java.time.Instant;
import java.util.Map;

/**
 * What a signature says of a manifest beside its digest.
 *
 * @param name NAME or NAME:VERSION, the publisher's own; null for none
 * @param mediaType null for what the manifest says
 * @param annotations may be empty
 * @param issued when
 * @param expires null for never
 */
public record Claims(String name, String mediaType, Map<String, String> annotations, Instant issued, Instant expires) {
    /**
     * A name alone.
     *
     * @param name NAME or NAME:VERSION
     * @param issued when
     * @return without anything else
     */
    public static Claims named(String name, Instant issued) {
        return new Claims(name, null, Map.of(), issued, null);
    }

    /** In C, 0 is never: a moment that is 0 must not become that. */
    long expirySeconds() throws TouchmarkException {
        if (expires == null) {
            return 0;
        }
        if (expires.getEpochSecond() <= 0) {
            throw TouchmarkException.of(Status.INVALID_TIME, "invalid-time", "the expiry lies before 1970", "{}", null);
        }
        return expires.getEpochSecond();
    }
}
