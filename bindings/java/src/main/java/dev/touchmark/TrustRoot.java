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
     * Decides whether the trust root accepts an artifact under a name: by its entries, its seals or the signatures of those whom it lets sign for the
     * name, and by the policy that the repository signs itself (the target {@code _touchmark/policy.json}), where it has one.
     *
     * @param source where it is
     * @param name NAME, NAME:VERSION, or NAME:* for any version
     * @param at the time at which it is to hold
     * @return the artifact
     * @throws TouchmarkException it is not accepted; {@link Status#POLICY_REJECTED} if the repository's policy has no rule for the name, or rejects it
     */
    public VerifiedArtifact verify(Source source, String name, Instant at) throws TouchmarkException {
        return verify(source, name, null, at);
    }

    /**
     * Decides about the image that an index lists for a platform, as {@link #verify(Source, String, Instant)} does about the index.
     *
     * @param source where the index is
     * @param name NAME, NAME:VERSION, or NAME:* for any version
     * @param platform as in {@code linux/amd64} or {@code linux/arm/v7}; null for what the reference names itself
     * @param at the time at which it is to hold
     * @return the image
     * @throws TouchmarkException it is not accepted
     */
    public VerifiedArtifact verify(Source source, String name, String platform, Instant at) throws TouchmarkException {
        return new VerifiedArtifact(Call.object(callbacks, C::touchmark_verified_artifact_free, c -> C.touchmark_trust_root_verify(
                begin(c), c.use(source), c.view(name), c.platform(platform), at.getEpochSecond(), c.out, c.error)));
    }

    /**
     * What the metadata says of a name, and no more than that: {@link #verify(Source, String, Instant)} asks the policy that the repository signs, too.
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
