package dev.touchmark;

import com.sun.jna.Pointer;
import java.time.Instant;

/**
 * What the metadata of a trust root says of a name, until its first document expires. The policy that the repository signs is no part of it; see
 * {@link TrustRoot#verify(Source, String, Instant)}.
 */
public final class Standing extends Handle {
    Standing(Pointer object) {
        super(object, C::touchmark_standing_free);
    }

    /**
     * Until when it is good.
     *
     * @return a moment
     */
    public Instant expires() {
        return Instant.ofEpochSecond(Call.of(this, C::touchmark_standing_expires));
    }

    /**
     * The whole of it.
     *
     * @return JSON
     * @throws TouchmarkException it was closed
     */
    public String toJson() throws TouchmarkException {
        return Call.bufferText(c -> C.touchmark_standing_to_json(c.use(this), c.out, c.error));
    }
}
