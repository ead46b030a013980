package dev.touchmark;

import java.io.IOException;

/**
 * Where an artifact lies: a registry, a folder. Content that is not there is a {@link java.nio.file.NoSuchFileException}, what must not be read an
 * {@link java.nio.file.AccessDeniedException}; every other {@link IOException} says that the place cannot be reached. What it gives need not be true:
 * the search hashes it.
 */
public interface Place {
    /**
     * What refers to a manifest.
     *
     * @param index an OCI image index
     * @param complete nothing failed or was left out
     * @param more a thorough list may have more
     */
    record Referrers(byte[] index, boolean complete, boolean more) {}

    /**
     * What content has.
     *
     * @param digest of all of it
     * @param size in bytes
     */
    record Hashed(String digest, long size) {}

    /**
     * A manifest.
     *
     * @param digest of the manifest
     * @param limit the most bytes
     * @return its bytes
     * @throws IOException it cannot be had
     */
    byte[] manifest(String digest, long limit) throws IOException;

    /**
     * The list of what refers to a manifest.
     *
     * @param need the digest of the manifest, and the limits
     * @return the list
     * @throws IOException it cannot be had
     */
    Referrers referrers(Search.Need need) throws IOException;

    /**
     * A blob.
     *
     * @param digest of the blob
     * @param limit the most bytes
     * @return its bytes
     * @throws IOException it cannot be had
     */
    byte[] blob(String digest, long limit) throws IOException;

    /**
     * Hashes a blob of any size; see {@link Hasher}.
     *
     * @param digest that it should have
     * @param size that it should have
     * @return those that it has
     * @throws IOException it cannot be had
     * @throws TouchmarkException the hasher failed
     */
    Hashed hash(String digest, long size) throws IOException, TouchmarkException;
}
