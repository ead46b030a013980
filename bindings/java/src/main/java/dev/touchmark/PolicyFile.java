package dev.touchmark;

import java.nio.file.Path;
import java.time.Instant;

/** A policy document with the keys and trust roots that it names. */
public final class PolicyFile extends Handle {
    /**
     * Opens a local policy.
     *
     * @param path of the document
     * @throws TouchmarkException it is none, or cannot be read
     */
    public PolicyFile(Path path) throws TouchmarkException {
        super(Call.object(c -> C.touchmark_policy_file_open(c.view(path.toString()), c.out, c.error)), C::touchmark_policy_file_free);
    }

    /**
     * Decides about an artifact by the rule for its reference. Where a trust root decides, the policy that its repository signs must accept it too.
     *
     * @param source where it is
     * @param at the time at which it is to hold
     * @return the artifact
     * @throws TouchmarkException the policy does not accept it
     */
    public VerifiedArtifact verify(Source source, Instant at) throws TouchmarkException {
        return verify(source, null, null, at);
    }

    /**
     * Decides about an artifact by the rule for a name, as {@link #verify(Source, Instant)} does by that for its reference.
     *
     * @param source where it is
     * @param name NAME, NAME:VERSION, or NAME:* for any version; null for none
     * @param at the time at which it is to hold
     * @return the artifact
     * @throws TouchmarkException the policy does not accept it
     */
    public VerifiedArtifact verify(Source source, String name, Instant at) throws TouchmarkException {
        return verify(source, name, null, at);
    }

    /**
     * Decides about the image that an index lists for a platform. The signatures of the index decide, where the rule lets them.
     *
     * @param source where the index is
     * @param name NAME, NAME:VERSION, or NAME:* for any version; null for none
     * @param platform as in {@code linux/amd64} or {@code linux/arm/v7}; null for what the reference names itself
     * @param at the time at which it is to hold
     * @return the image
     * @throws TouchmarkException the policy does not accept it
     */
    public VerifiedArtifact verify(Source source, String name, String platform, Instant at) throws TouchmarkException {
        if (name != null && name.isEmpty()) { // which the library takes for none
            Touchmark.checkName(name);
        }
        return new VerifiedArtifact(Call.object(c -> C.touchmark_policy_file_verify(
                c.use(this), c.use(source), c.view(name), c.platform(platform), at.getEpochSecond(), c.out, c.error)));
    }
}
