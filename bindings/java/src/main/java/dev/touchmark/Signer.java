package dev.touchmark;

import java.security.KeyPair;
import java.security.Signature;

/** Signs envelopes: by a {@link PrivateKey}, by a key of the Java platform, or by a function. */
public final class Signer {
    private final PrivateKey key;
    private final PublicKey publicKey;
    private final Function function;

    private Signer(PrivateKey key, PublicKey publicKey, Function function) {
        this.key = key;
        this.publicKey = publicKey;
        this.function = function;
    }

    /** Makes a signature. */
    @FunctionalInterface
    public interface Function {
        /**
         * Signs.
         *
         * @param message the message itself
         * @return raw for Ed25519, DER for ECDSA
         * @throws Exception becomes the cause of what the call throws
         */
        byte[] sign(byte[] message) throws Exception;
    }

    /**
     * Signs by a key.
     *
     * @param key must not be closed before the signer was used
     * @return the signer
     */
    public static Signer of(PrivateKey key) {
        return new Signer(key, null, null);
    }

    /**
     * Signs by a function. What it returns is verified by the public key before it is used.
     *
     * @param publicKey the public half
     * @param function called in the thread that signs
     * @return the signer
     */
    public static Signer of(PublicKey publicKey, Function function) {
        return new Signer(null, publicKey, function);
    }

    /**
     * Signs by a key of the Java platform, such as one of a hardware token.
     *
     * @param pair Ed25519, or ECDSA over P-256 or P-384
     * @return the signer
     * @throws TouchmarkException it is a key that cannot sign here
     */
    public static Signer of(KeyPair pair) throws TouchmarkException {
        PublicKey key = PublicKey.of(pair.getPublic());
        String algorithm = switch (key.algorithm()) {
            case ED25519 -> "Ed25519";
            case ECDSA_P256 -> "SHA256withECDSA";
            case ECDSA_P384 -> "SHA384withECDSA";
            case RSA_PSS -> throw TouchmarkException.of(Status.UNSUPPORTED, "unsupported", "signing by an RSA key", "{}", null);
        };
        return of(key, message -> {
            Signature signature = Signature.getInstance(algorithm);
            signature.initSign(pair.getPrivate());
            signature.update(message);
            return signature.sign();
        });
    }

    PrivateKey key() {
        return key;
    }

    PublicKey publicKey() {
        return publicKey;
    }

    Function function() {
        return function;
    }
}
