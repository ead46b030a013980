package dev.touchmark;

import com.sun.jna.Pointer;

/** Signs, by {@link Signer}. Its memory is wiped when it is freed, so close it. */
public final class PrivateKey extends Handle {
    private PrivateKey(Pointer object) {
        super(object, C::touchmark_private_key_free);
    }

    /**
     * Makes a new key.
     *
     * @param algorithm Ed25519 or ECDSA
     * @return the key
     * @throws TouchmarkException the algorithm is for verifying alone
     */
    public static PrivateKey generate(KeyAlgorithm algorithm) throws TouchmarkException {
        return new PrivateKey(Call.object(c -> C.touchmark_private_key_generate(algorithm.number(), c.out, c.error)));
    }

    /**
     * Reads PKCS#8.
     *
     * @param document PEM or DER
     * @param passphrase empty for a key that is not encrypted
     * @return the key
     * @throws TouchmarkException it is no key, or the passphrase is wrong
     */
    public static PrivateKey read(byte[] document, byte[] passphrase) throws TouchmarkException {
        return new PrivateKey(Call.object(c -> C.touchmark_private_key_read(c.view(document), c.view(passphrase), c.out, c.error)));
    }

    /**
     * The key as PKCS#8, not encrypted.
     *
     * @return PEM
     * @throws TouchmarkException the key was closed
     */
    public byte[] pem() throws TouchmarkException {
        return Call.buffer(c -> C.touchmark_private_key_to_pem(c.use(this), c.out, c.error));
    }

    /**
     * The key as PKCS#8, encrypted.
     *
     * @param passphrase not empty
     * @return PEM
     * @throws TouchmarkException the passphrase is empty
     */
    public byte[] encryptedPem(byte[] passphrase) throws TouchmarkException {
        return Call.buffer(c -> C.touchmark_private_key_to_encrypted_pem(c.use(this), c.view(passphrase), c.out, c.error));
    }

    /**
     * The public half.
     *
     * @return a key of its own
     * @throws TouchmarkException the key was closed
     */
    public PublicKey publicKey() throws TouchmarkException {
        return new PublicKey(Call.object(c -> C.touchmark_private_key_public(c.use(this), c.out, c.error)));
    }
}
