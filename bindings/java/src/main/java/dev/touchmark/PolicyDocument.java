package dev.touchmark;

import com.sun.jna.Pointer;

/** A policy as JSON. */
public final class PolicyDocument extends Handle {
    private PolicyDocument(Pointer object) {
        super(object, C::touchmark_policy_document_free);
    }

    /** Where a policy document comes from. */
    public enum Origin {
        /** This machine: it may speak of registry references. */
        LOCAL,
        /** A trust repository. */
        SIGNED
    }

    /**
     * Reads a policy.
     *
     * @param document JSON
     * @param origin where it comes from
     * @return the policy
     * @throws TouchmarkException it is none; {@link Status#UNSUPPORTED} if it demands an in-toto layout and this library verifies none
     */
    public static PolicyDocument read(byte[] document, Origin origin) throws TouchmarkException {
        return new PolicyDocument(Call.object(c -> C.touchmark_policy_document_read(c.view(document), origin.ordinal() + 1, c.out, c.error)));
    }

    /**
     * What there is to say about it.
     *
     * @return JSON
     * @throws TouchmarkException it was closed
     */
    public String check() throws TouchmarkException {
        return Call.bufferText(c -> C.touchmark_policy_document_check(c.use(this), c.out, c.error));
    }

    /**
     * The rule that decides.
     *
     * @param reference of the artifact; may be null
     * @param name that it is asked for by; may be null
     * @return JSON
     * @throws TouchmarkException none accepts
     */
    public String decide(String reference, String name) throws TouchmarkException {
        return Call.bufferText(c -> C.touchmark_policy_document_decide(c.use(this), c.view(reference), c.view(name), c.out, c.error));
    }
}
