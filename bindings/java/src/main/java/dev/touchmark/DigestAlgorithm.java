package dev.touchmark;

/** An algorithm of digests. */
public enum DigestAlgorithm {
    /** SHA-256. */
    SHA256,
    /** SHA-512. */
    SHA512;

    int number() {
        return ordinal() + 1;
    }
}
