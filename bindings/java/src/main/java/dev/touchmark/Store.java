package dev.touchmark;

import java.util.Map;

/** Keeps what a client trusts, from one update to the next. What it throws ends the call, as its cause. */
public interface Store {
    /**
     * Gives a file.
     *
     * @param name of the file
     * @return null if there is none
     * @throws Exception it cannot be read
     */
    byte[] load(String name) throws Exception;

    /**
     * Keeps a file.
     *
     * @param name of the file
     * @param content of the file
     * @throws Exception it cannot be kept
     */
    void store(String name, byte[] content) throws Exception;

    /**
     * Forgets a file.
     *
     * @param name of the file
     * @throws Exception it cannot be removed
     */
    void remove(String name) throws Exception;

    /**
     * A store in memory.
     *
     * @param files by name; it is read and written
     * @return a store
     */
    static Store ofMap(Map<String, byte[]> files) {
        return new Store() {
            @Override
            public byte[] load(String name) {
                return files.get(name);
            }

            @Override
            public void store(String name, byte[] content) {
                files.put(name, content);
            }

            @Override
            public void remove(String name) {
                files.remove(name);
            }
        };
    }
}
