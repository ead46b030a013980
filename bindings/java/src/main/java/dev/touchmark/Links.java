package dev.touchmark;

import java.io.IOException;
import java.util.List;

/** Where links lie. What is not there is null, or a {@link java.nio.file.NoSuchFileException}. */
public interface Links {
    /**
     * A file.
     *
     * @param path below the folder of links
     * @param limit the most bytes
     * @return its bytes
     * @throws IOException it cannot be had
     */
    byte[] file(String path, long limit) throws IOException;

    /**
     * The files {@code STEP.KEYID.link} of a folder.
     *
     * @param folder below the folder of links; empty for that one
     * @param step of the layout
     * @return all their names
     * @throws IOException they cannot be had
     */
    List<String> names(String folder, String step) throws IOException;

    /**
     * The link of an inspection that the caller ran.
     *
     * @param name of the inspection
     * @param folder of the layout that has it
     * @return its bytes
     * @throws IOException it cannot be had
     */
    byte[] inspection(String name, String folder) throws IOException;
}
