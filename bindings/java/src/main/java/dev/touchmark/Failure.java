package dev.touchmark;

import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.NoSuchFileException;

/** Why a step cannot be answered. */
record Failure(int number, String message) {
    /**
     * What does not exist is not found, what must not be read is denied; every other {@link IOException} is a place that cannot be reached. So is a
     * {@link java.io.FileNotFoundException}: it is thrown too where a file is there and cannot be opened.
     */
    static Failure of(IOException e) {
        int number = 2;
        if (e instanceof NoSuchFileException) {
            number = 1;
        } else if (e instanceof AccessDeniedException) {
            number = 3;
        }
        return new Failure(number, e.toString());
    }
}
