package dev.touchmark;

import java.time.Instant;
import java.util.List;

/** An artifact in an OCI layout: a folder, or an archive of one. */
public final class Source extends Handle {
    /**
     * Opens an OCI layout.
     *
     * @param reference {@code oci:PATH[:TAG][@DIGEST]} or {@code oci-archive:PATH[:TAG][@DIGEST]}
     * @throws TouchmarkException there is none
     */
    public Source(String reference) throws TouchmarkException {
        super(Call.object(c -> C.touchmark_source_open(c.view(reference), c.out, c.error)), C::touchmark_source_free);
    }

    /**
     * The digest that the reference names.
     *
     * @return as in {@code sha256:…}
     * @throws TouchmarkException there is none
     */
    public String digest() throws TouchmarkException {
        return Call.bufferText(c -> C.touchmark_source_digest(c.use(this), c.out, c.error));
    }

    /**
     * The manifest that the reference names. Nobody has verified it; it has the digest.
     *
     * @return its bytes
     * @throws TouchmarkException there is none
     */
    public byte[] manifest() throws TouchmarkException {
        return Call.buffer(c -> C.touchmark_source_manifest(c.use(this), c.out, c.error));
    }

    /**
     * Decides whether a policy accepts the artifact.
     *
     * @param policy what it must satisfy
     * @param at the time at which it is to hold
     * @return the artifact
     * @throws TouchmarkException the policy does not accept it
     */
    public VerifiedArtifact verify(Policy policy, Instant at) throws TouchmarkException {
        return new VerifiedArtifact(Call.object(c -> C.touchmark_source_verify(
                c.use(this), c.use(policy), at.getEpochSecond(), c.out, c.error)));
    }

    /**
     * Decides a request by what lies in the layout.
     *
     * @param request about an artifact
     * @return the artifact
     * @throws TouchmarkException the policy does not accept it
     */
    public VerifiedArtifact verify(Request request) throws TouchmarkException {
        return new VerifiedArtifact(Call.object(c -> C.touchmark_source_verify_request(c.use(this), c.use(request), c.out, c.error)));
    }

    /**
     * Stores envelopes beside the artifact. Folders alone can be written.
     *
     * @param envelopes that speak of it
     * @throws TouchmarkException they could not be stored
     */
    public void attach(List<Envelope> envelopes) throws TouchmarkException {
        Call.run(c -> C.touchmark_source_attach(c.use(this), c.handles(envelopes), envelopes.size(), c.error));
    }
}
