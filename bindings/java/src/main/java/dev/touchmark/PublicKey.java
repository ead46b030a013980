package dev.touchmark;

import com.sun.jna.Pointer;

/** Verifies signatures. */
public final class PublicKey extends Handle {
    PublicKey(Pointer object) {
        super(object, C::touchmark_public_key_free);
    }

    /**
     * Reads SubjectPublicKeyInfo.
     *
     * @param document PEM or DER
     * @return the key
     * @throws TouchmarkException it is no key, or one that must not be used
     */
    public static PublicKey read(byte[] document) throws TouchmarkException {
        return new PublicKey(Call.object(c -> C.touchmark_public_key_read(c.view(document), c.out, c.error)));
    }

    /**
     * The key of decoded bytes.
     *
     * @param algorithm of the key
     * @param raw 32 bytes for Ed25519, an uncompressed point for ECDSA
     * @return the key
     * @throws TouchmarkException it is no key, or one that must not be used
     */
    public static PublicKey ofRaw(KeyAlgorithm algorithm, byte[] raw) throws TouchmarkException {
        return new PublicKey(Call.object(c -> C.touchmark_public_key_from_raw(algorithm.number(), c.view(raw), c.out, c.error)));
    }

    /**
     * A key of the Java platform.
     *
     * @param key whose encoding is SubjectPublicKeyInfo
     * @return the key
     * @throws TouchmarkException it is a key that must not be used
     */
    public static PublicKey of(java.security.PublicKey key) throws TouchmarkException {
        return read(key.getEncoded());
    }

    /**
     * The key's algorithm.
     *
     * @return one of those that there are
     */
    public KeyAlgorithm algorithm() {
        return KeyAlgorithm.values()[Call.of(this, C::touchmark_public_key_algorithm) - 1];
    }

    /**
     * Identifies the key by its algorithm and decoded bytes.
     *
     * @return hexadecimal
     */
    public String id() {
        return Call.text(this, C::touchmark_public_key_id);
    }

    /**
     * The decoded key.
     *
     * @return its bytes
     */
    public byte[] raw() {
        return Call.bytes(this, C::touchmark_public_key_raw);
    }

    /**
     * The key as SubjectPublicKeyInfo.
     *
     * @return PEM
     * @throws TouchmarkException the key was closed
     */
    public String pem() throws TouchmarkException {
        return Call.bufferText(c -> C.touchmark_public_key_to_pem(c.use(this), c.out, c.error));
    }

    /**
     * Verifies a signature.
     *
     * @param message what was signed
     * @param signature raw for Ed25519, DER for ECDSA
     * @throws TouchmarkException it is not one of the message by this key
     */
    public void verify(byte[] message, byte[] signature) throws TouchmarkException {
        Call.run(c -> C.touchmark_public_key_verify(c.use(this), c.view(message), c.view(signature), c.error));
    }
}
