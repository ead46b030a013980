package dev.touchmark;

import com.sun.jna.Pointer;
import java.nio.file.Path;
import java.time.Instant;

/** A trust repository with a store in a folder. */
public final class TrustRoot extends Handle {
    private final Callbacks callbacks;
    // C calls these as long as the trust root is open.
    private final C.Fetch[] functions;

    private TrustRoot(Pointer object, Callbacks callbacks, C.Fetch... functions) {
        super(object, C::touchmark_trust_root_free);
        this.callbacks = callbacks;
        this.functions = functions;
    }

    /**
     * Opens a trust repository whose metadata lie in a folder.
     *
     * @param root a trusted {@code root.json}
     * @param metadata the folder
     * @param store a folder that this program keeps
     * @param at the time at which the metadata are to hold
     * @return the trust root
     * @throws TouchmarkException it cannot be opened
     */
    public static TrustRoot open(byte[] root, Path metadata, Path store, Instant at) throws TouchmarkException {
        return new TrustRoot(Call.object(c -> C.touchmark_trust_root_open(
                c.view(root), c.view(metadata.toString()), c.view(store.toString()), at.getEpochSecond(), c.out, c.error)), new Callbacks());
    }

    /**
     * Opens a trust repository whose files are fetched by the caller.
     *
     * @param root a trusted {@code root.json}
     * @param metadata gets the metadata
     * @param targets gets targets; may be null, and then they are not to be had
     * @param store a folder that this program keeps
     * @param at the time at which the metadata are to hold
     * @return the trust root
     * @throws TouchmarkException it cannot be opened; the cause is what a fetcher threw
     */
    public static TrustRoot open(byte[] root, Fetcher metadata, Fetcher targets, Path store, Instant at) throws TouchmarkException {
        Callbacks callbacks = new Callbacks();
        C.Fetch first = callbacks.fetch(metadata);
        C.Fetch second = targets == null ? null : callbacks.fetch(targets);
        return new TrustRoot(Call.object(callbacks, C::touchmark_trust_root_free, c -> C.touchmark_trust_root_open_with(
                c.view(root), first, second, null, c.view(store.toString()), at.getEpochSecond(), c.out, c.error)), callbacks, first, second);
    }

    /** The object, for one call, whose exceptions are its own. */
    private Pointer begin(Call call) throws TouchmarkException {
        Pointer object = call.alone(this);
        callbacks.begin();
        return object;
    }

    /**
     * What the trust root says of a name.
     *
     * @param name NAME or NAME:VERSION
     * @return for {@link Policy#ofStanding}
     * @throws TouchmarkException the metadata must not be trusted, or could not be had
     */
    public Standing standing(String name) throws TouchmarkException {
        return new Standing(Call.object(
                callbacks, C::touchmark_standing_free, c -> C.touchmark_trust_root_standing(begin(c), c.view(name), c.out, c.error)));
    }

    /**
     * A target's content, checked.
     *
     * @param path of the target
     * @return its bytes
     * @throws TouchmarkException no role lists it, or it could not be had
     */
    public byte[] target(String path) throws TouchmarkException {
        return Call.buffer(callbacks, c -> C.touchmark_trust_root_target(begin(c), c.view(path), c.out, c.error));
    }

    /**
     * What there is to say about the last update: that it was not refreshed, that it has no history.
     *
     * @return JSON
     * @throws TouchmarkException it was closed
     */
    public String notes() throws TouchmarkException {
        return Call.string(Call.buffer(callbacks, c -> C.touchmark_trust_root_notes_json(begin(c), c.out, c.error)));
    }
}
