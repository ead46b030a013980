package dev.touchmark;

import com.sun.jna.Pointer;
import java.util.Collection;
import java.util.List;
import java.util.stream.LongStream;

/** A DSSE envelope that nobody has verified. */
public final class Envelope extends Handle {
    Envelope(Pointer object) {
        super(object, C::touchmark_envelope_free);
    }

    /**
     * Reads an envelope. It verifies nothing.
     *
     * @param document JSON
     * @return the envelope
     * @throws TouchmarkException it is none
     */
    public static Envelope parse(byte[] document) throws TouchmarkException {
        return new Envelope(Call.object(c -> C.touchmark_envelope_parse(c.view(document), c.out, c.error)));
    }

    /**
     * Signs a payload.
     *
     * @param payloadType what the payload is
     * @param payload any bytes
     * @param signers who signs
     * @return the envelope
     * @throws TouchmarkException a signer failed
     */
    public static Envelope sign(String payloadType, byte[] payload, List<Signer> signers) throws TouchmarkException {
        return new Envelope(Call.object(c -> C.touchmark_envelope_sign(
                c.view(payloadType), c.view(payload), c.signers(signers), signers.size(), c.out, c.error)));
    }

    /**
     * Signs the manifest of an artifact.
     *
     * @param manifest its bytes
     * @param claims what is signed beside its digest
     * @param signers who signs
     * @return the envelope
     * @throws TouchmarkException it is no manifest, or a signer failed
     */
    public static Envelope signManifest(byte[] manifest, Claims claims, List<Signer> signers) throws TouchmarkException {
        // In C no name is the empty one.
        if (claims.name() != null) {
            Touchmark.checkName(claims.name());
        }
        return new Envelope(Call.object(c -> C.touchmark_sign_manifest(
                c.view(manifest), c.view(claims.mediaType()), c.view(claims.name()), c.pairs(claims.annotations()), claims.annotations().size(),
                claims.issued().getEpochSecond(), claims.expirySeconds(), c.signers(signers), signers.size(), c.out, c.error)));
    }

    /**
     * The envelope with one signature more.
     *
     * @param signer who signs
     * @return another envelope
     * @throws TouchmarkException the signer failed
     */
    public Envelope addSignature(Signer signer) throws TouchmarkException {
        return new Envelope(Call.object(c -> C.touchmark_envelope_add_signature(
                c.use(this), c.signers(List.of(signer)).getPointer(0), c.out, c.error)));
    }

    /**
     * What the envelope says that its payload is.
     *
     * @return a media type
     */
    public String payloadType() {
        return Call.text(this, C::touchmark_envelope_payload_type);
    }

    /**
     * The payload, which nobody has verified.
     *
     * @return its bytes
     */
    public byte[] untrustedPayload() {
        return Call.bytes(this, C::touchmark_envelope_untrusted_payload);
    }

    /**
     * The keyids of the signatures: hints that anybody can write.
     *
     * @return one a signature, each of which may be empty
     */
    public List<String> keyIds() {
        return Call.of(this, object -> LongStream.range(0, C.touchmark_envelope_signature_count(object))
                .mapToObj(i -> Call.string(C.touchmark_envelope_signature_keyid(object, i).copied())).toList());
    }

    /**
     * The envelope as it is stored.
     *
     * @return JSON
     * @throws TouchmarkException it was closed
     */
    public byte[] toJson() throws TouchmarkException {
        return Call.buffer(c -> C.touchmark_envelope_to_json(c.use(this), c.out, c.error));
    }

    /**
     * Verifies the envelope.
     *
     * @param keys those that may have signed
     * @param threshold how many of them must have
     * @return what they signed
     * @throws TouchmarkException fewer signed
     */
    public VerifiedEnvelope verify(Collection<PublicKey> keys, int threshold) throws TouchmarkException {
        return new VerifiedEnvelope(Call.object(c -> C.touchmark_envelope_verify(
                c.use(this), c.handles(keys), keys.size(), Math.max(threshold, 0), c.out, c.error)));
    }
}
