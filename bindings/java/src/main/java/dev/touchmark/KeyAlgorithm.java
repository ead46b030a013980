package dev.touchmark;

/** An algorithm of signatures. */
public enum KeyAlgorithm {
    /** Ed25519. */
    ED25519("ed25519"),
    /** ECDSA over P-256 with SHA-256. */
    ECDSA_P256("ecdsa-p256"),
    /** ECDSA over P-384 with SHA-384. */
    ECDSA_P384("ecdsa-p384"),
    /** RSA-PSS, for verifying alone. */
    RSA_PSS("rsa-pss");

    private final String text;

    KeyAlgorithm(String text) {
        this.text = text;
    }

    int number() {
        return ordinal() + 1;
    }

    /** The name of the algorithm, as documents have it. */
    @Override
    public String toString() {
        return text;
    }
}
