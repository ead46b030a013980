package dev.touchmark;

import com.sun.jna.Pointer;
import java.io.IOException;
import java.time.Instant;
import java.util.Objects;

/** Updates trust metadata as The Update Framework says, and looks targets up, without any I/O of its own. */
public final class TufClient extends Handle {
    /**
     * Begins an update, from a store that holds at least a trusted {@code root.json}.
     *
     * @param at the time of the update
     * @param offline whether nothing but the store is asked
     * @throws TouchmarkException it is no time
     */
    public TufClient(Instant at, boolean offline) throws TouchmarkException {
        super(Call.object(c -> C.touchmark_tuf_client_new(offline ? 1 : 0, at.getEpochSecond(), c.out, c.error)), C::touchmark_tuf_client_free);
    }

    /** A kind of step. */
    public enum Kind {
        /** Nothing: it is done. */
        DONE,
        /** A file of the store, or its absence. */
        LOAD,
        /** A file of the repository, or its absence. */
        FETCH,
        /** The content is to be stored. */
        STORE,
        /** The file is to be removed from the store. */
        REMOVE
    }

    /**
     * What is needed next.
     *
     * @param kind of step
     * @param name of the file
     * @param content of STORE
     * @param limit of LOAD and FETCH, the most bytes
     */
    public record Step(Kind kind, String name, byte[] content, long limit) {}

    /**
     * The next step.
     *
     * @return DONE at the end
     * @throws TouchmarkException the update failed
     */
    public Step next() throws TouchmarkException {
        C.TufStep step = new C.TufStep();
        Call.run(c -> C.touchmark_tuf_client_next(c.alone(this), step, c.error));
        return new Step(Kind.values()[step.kind], Call.string(step.name.copied()), step.bytes.copied(), step.limit);
    }

    /**
     * Answers LOAD or FETCH.
     *
     * @param content of the file
     * @throws TouchmarkException it was not needed
     */
    public void provideBytes(byte[] content) throws TouchmarkException {
        Call.run(c -> C.touchmark_tuf_client_provide_bytes(c.alone(this), c.view(Objects.requireNonNull(content)), c.error));
    }

    /**
     * Answers LOAD or FETCH: there is none.
     *
     * @throws TouchmarkException it was not needed
     */
    public void provideAbsent() throws TouchmarkException {
        Call.run(c -> C.touchmark_tuf_client_provide_absent(c.alone(this), c.error));
    }

    /**
     * Answers STORE or REMOVE.
     *
     * @throws TouchmarkException it was not needed
     */
    public void provideDone() throws TouchmarkException {
        Call.run(c -> C.touchmark_tuf_client_provide_done(c.alone(this), c.error));
    }

    /**
     * Answers any step by why it failed; see {@link Place}.
     *
     * @param why it failed
     * @throws TouchmarkException nothing was needed
     */
    public void provideFailure(IOException why) throws TouchmarkException {
        Failure failure = Failure.of(why);
        Call.run(c -> C.touchmark_tuf_client_provide_failure(c.alone(this), failure.number(), c.message(failure.message()), c.error));
    }

    /**
     * Does all steps up to DONE. Until then every other use fails with {@link Status#WRONG_STATE}.
     *
     * @param repository where files are fetched from
     * @param store where they are kept
     * @throws TouchmarkException the update failed; the cause is what a callback threw
     */
    public void drive(Fetcher repository, Store store) throws TouchmarkException {
        Callbacks callbacks = new Callbacks();
        C.TufCallbacks functions = new C.TufCallbacks();
        functions.struct_size = functions.size();
        functions.fetch = callbacks.fetch(repository);
        functions.load = callbacks.fetch((name, limit) -> store.load(name));
        functions.store = callbacks.store(store);
        functions.remove = callbacks.remove(store);
        Call.object(callbacks, object -> {}, c -> C.touchmark_tuf_client_drive(c.alone(this), functions, c.error));
    }

    /**
     * Begins to look a target up; drive the client afterwards.
     *
     * @param path of the target
     * @throws TouchmarkException it is no path, or the update is not done
     */
    public void lookUp(String path) throws TouchmarkException {
        Call.run(c -> C.touchmark_tuf_client_look_up(c.alone(this), c.view(path), c.error));
    }

    /**
     * The target that was looked up.
     *
     * @return what a role says of it
     * @throws TouchmarkException no role lists it
     */
    public Target found() throws TouchmarkException {
        return new Target(Call.object(c -> C.touchmark_tuf_client_found(c.alone(this), c.out, c.error)));
    }

    /**
     * What the metadata says of the name that was looked up.
     *
     * @param name NAME or NAME:VERSION
     * @return for {@link Policy#ofStanding}
     * @throws TouchmarkException another was looked up
     */
    public Standing standing(String name) throws TouchmarkException {
        return new Standing(Call.object(c -> C.touchmark_tuf_client_standing(c.alone(this), c.view(name), c.out, c.error)));
    }

    /**
     * The versions and expiries that are trusted so far.
     *
     * @return JSON
     * @throws TouchmarkException the client was closed
     */
    public String state() throws TouchmarkException {
        return Call.bufferText(c -> C.touchmark_tuf_client_state_json(c.alone(this), c.out, c.error));
    }

    /** A target that a role lists. */
    public static final class Target extends Handle {
        private Target(Pointer object) {
            super(object, C::touchmark_tuf_target_free);
        }

        /**
         * Its length.
         *
         * @return in bytes
         */
        public long length() {
            return Call.of(this, C::touchmark_tuf_target_length);
        }

        /**
         * The role that lists it.
         *
         * @return its name
         */
        public String role() {
            return Call.text(this, C::touchmark_tuf_target_role);
        }

        /**
         * Where it is.
         *
         * @return below the targets' URL
         * @throws TouchmarkException it was closed
         */
        public String fetchPath() throws TouchmarkException {
            return Call.bufferText(c -> C.touchmark_tuf_target_fetch_path(c.use(this), c.out, c.error));
        }

        /**
         * Says whether content is the target.
         *
         * @param content its bytes
         * @throws TouchmarkException it is not
         */
        public void check(byte[] content) throws TouchmarkException {
            Call.run(c -> C.touchmark_tuf_target_check(c.use(this), c.view(content), c.error));
        }

        /**
         * What the role says of it.
         *
         * @return JSON
         * @throws TouchmarkException it was closed
         */
        public String toJson() throws TouchmarkException {
            return Call.bufferText(c -> C.touchmark_tuf_target_to_json(c.use(this), c.out, c.error));
        }
    }
}
