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
     * Decides about an artifact by the rule for its reference.
     *
     * @param source where it is
     * @param at the time at which it is to hold
     * @return the artifact
     * @throws TouchmarkException the policy does not accept it
     */
    public VerifiedArtifact verify(Source source, Instant at) throws TouchmarkException {
        return new VerifiedArtifact(Call.object(c -> C.touchmark_policy_file_verify(
                c.use(this), c.use(source), at.getEpochSecond(), c.out, c.error)));
    }
}
