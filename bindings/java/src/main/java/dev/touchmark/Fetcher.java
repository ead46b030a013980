package dev.touchmark;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** Gets files of a repository. */
@FunctionalInterface
public interface Fetcher {
    /**
     * Gets a file.
     *
     * @param path below the repository's URL
     * @param limit the most bytes; of a longer file no more need be read
     * @return null, or a {@link java.nio.file.NoSuchFileException}, if there is none
     * @throws Exception an {@link IOException} says that the repository cannot be reached; everything else ends the call, as its cause
     */
    byte[] fetch(String path, long limit) throws Exception;

    /**
     * Gets files of a folder.
     *
     * @param folder the repository
     * @return a fetcher
     */
    static Fetcher ofFolder(Path folder) {
        return (path, limit) -> Files.readAllBytes(folder.resolve(path));
    }
}
