package dev.touchmark;

import java.time.Instant;
import java.util.List;

/** A question about an artifact. It is for one thread until it is asked. */
public final class Request extends Handle {
    /**
     * Asks whether a policy accepts an artifact.
     *
     * @param policy what it must satisfy
     * @param digest of the artifact, as in {@code sha256:…}
     * @param at the time at which it is to hold
     * @throws TouchmarkException it is no digest
     */
    public Request(Policy policy, String digest, Instant at) throws TouchmarkException {
        super(Call.object(c -> C.touchmark_request_new(c.use(policy), c.view(digest), at.getEpochSecond(), c.out, c.error)),
                C::touchmark_request_free);
    }

    /**
     * Asks for the artifact as a child of a signed index.
     *
     * @param index its digest
     * @return this
     * @throws TouchmarkException it is no digest
     */
    public Request coveredBy(String index) throws TouchmarkException {
        Call.run(c -> C.touchmark_request_covered_by(c.alone(this), c.view(index), c.error));
        return this;
    }

    /**
     * Asks for the child of the index for a platform.
     *
     * @param platform as in {@code linux/amd64}
     * @return this
     * @throws TouchmarkException it is none
     */
    public Request platform(String platform) throws TouchmarkException {
        Call.run(c -> C.touchmark_request_platform(c.alone(this), c.view(platform), c.error));
        return this;
    }

    /**
     * Gives the only evidence; no referrers are asked for.
     *
     * @param envelopes the evidence
     * @return this
     * @throws TouchmarkException the library failed
     */
    public Request envelopes(List<byte[]> envelopes) throws TouchmarkException {
        Call.run(c -> C.touchmark_request_envelopes(c.alone(this), c.array(envelopes), envelopes.size(), c.error));
        return this;
    }

    /**
     * Hashes all content of the artifact too.
     *
     * @return this
     * @throws TouchmarkException the library failed
     */
    public Request deep() throws TouchmarkException {
        Call.run(c -> C.touchmark_request_deep(c.alone(this), c.error));
        return this;
    }
}
