package dev.touchmark;

import com.sun.jna.Pointer;
import java.util.List;
import java.util.stream.LongStream;

/** An envelope that a threshold of keys signed. */
public final class VerifiedEnvelope extends Handle {
    VerifiedEnvelope(Pointer object) {
        super(object, C::touchmark_verified_envelope_free);
    }

    /**
     * What was signed.
     *
     * @return its bytes
     */
    public byte[] payload() {
        return Call.bytes(this, C::touchmark_verified_envelope_payload);
    }

    /**
     * The type that was signed.
     *
     * @return a media type
     */
    public String payloadType() {
        return Call.text(this, C::touchmark_verified_envelope_payload_type);
    }

    /**
     * The keys that signed, as {@link PublicKey#id} has them.
     *
     * @return at least as many as the threshold
     */
    public List<String> keyIds() {
        return Call.of(this, object -> LongStream.range(0, C.touchmark_verified_envelope_key_count(object))
                .mapToObj(i -> Call.string(C.touchmark_verified_envelope_key_id(object, i).copied())).toList());
    }
}
