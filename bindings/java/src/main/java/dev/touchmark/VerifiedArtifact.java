package dev.touchmark;

import com.sun.jna.Pointer;

/** An artifact that a policy accepted. */
public final class VerifiedArtifact extends Handle {
    VerifiedArtifact(Pointer object) {
        super(object, C::touchmark_verified_artifact_free);
    }

    /**
     * The digest of what was asked about.
     *
     * @return as in {@code sha256:…}
     */
    public String digest() {
        return Call.text(this, C::touchmark_verified_artifact_digest);
    }

    /**
     * The manifest's media type.
     *
     * @return as it was signed
     */
    public String mediaType() {
        return Call.text(this, C::touchmark_verified_artifact_media_type);
    }

    /**
     * The manifest's length.
     *
     * @return in bytes
     */
    public long size() {
        return Call.of(this, C::touchmark_verified_artifact_size);
    }

    /**
     * The manifest.
     *
     * @return empty if the decision did not read it
     */
    public byte[] manifest() {
        return Call.bytes(this, C::touchmark_verified_artifact_manifest);
    }

    /**
     * The name that was verified.
     *
     * @return NAME[:VERSION]; empty if the policy asked for none
     */
    public String name() {
        return Call.text(this, C::touchmark_verified_artifact_name);
    }

    /**
     * The whole report, as the command line prints it.
     *
     * @return JSON
     * @throws TouchmarkException it was closed
     */
    public String toJson() throws TouchmarkException {
        return Call.bufferText(c -> C.touchmark_verified_artifact_to_json(c.use(this), c.out, c.error));
    }
}
