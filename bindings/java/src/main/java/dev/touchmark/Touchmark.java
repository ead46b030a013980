package dev.touchmark;

import java.time.Instant;
import java.util.List;

/** The functions that need no object of their own. */
public final class Touchmark {
    private Touchmark() {}

    /**
     * The version of the library.
     *
     * @return as in {@code 0.1.0}
     */
    public static String version() {
        return Call.string(C.touchmark_version().copied());
    }

    /**
     * The version of the C interface.
     *
     * @return {@code major<<24 | minor<<12 | patch}
     */
    public static int abiVersion() {
        return C.touchmark_abi_version();
    }

    /**
     * Whether the library can sign.
     *
     * @return false for one that only verifies
     */
    public static boolean signs() {
        return (C.touchmark_features() & 1) != 0;
    }

    /**
     * Whether the library reads folders, archives and policy files by path.
     *
     * @return false for one that only verifies
     */
    public static boolean doesIo() {
        return (C.touchmark_features() & 2) != 0;
    }

    /**
     * Whether the library verifies in-toto layouts.
     *
     * @return false for one without supply chains
     */
    public static boolean verifiesSupplyChains() {
        return (C.touchmark_features() & 8) != 0;
    }

    /**
     * Says whether a name is one that a publisher may sign.
     *
     * @param name NAME or NAME:VERSION
     * @throws TouchmarkException it is not
     */
    public static void checkName(String name) throws TouchmarkException {
        Call.run(c -> C.touchmark_name_check(c.view(name), c.error));
    }

    /**
     * A document in canonical form.
     *
     * @param document JSON
     * @return the one form of it
     * @throws TouchmarkException it is no JSON
     */
    public static byte[] canonicalJson(byte[] document) throws TouchmarkException {
        return Call.buffer(c -> C.touchmark_canonical_json(c.view(document), c.out, c.error));
    }

    /**
     * The digest of content.
     *
     * @param algorithm of digests
     * @param content any bytes
     * @return as in {@code sha256:…}
     * @throws TouchmarkException the library failed
     */
    public static String digest(DigestAlgorithm algorithm, byte[] content) throws TouchmarkException {
        return Call.bufferText(c -> C.touchmark_digest(algorithm.number(), c.view(content), c.out, c.error));
    }

    /**
     * Decides about a manifest by the envelopes that are given, without any I/O.
     *
     * @param policy what it must satisfy
     * @param manifest its bytes
     * @param envelopes the evidence
     * @param at the time at which it is to hold
     * @return the artifact
     * @throws TouchmarkException the policy does not accept it
     */
    public static VerifiedArtifact verifyManifest(Policy policy, byte[] manifest, List<byte[]> envelopes, Instant at) throws TouchmarkException {
        return new VerifiedArtifact(Call.object(c -> C.touchmark_verify_manifest(
                c.use(policy), c.view(manifest), c.array(envelopes), envelopes.size(), at.getEpochSecond(), c.out, c.error)));
    }
}
