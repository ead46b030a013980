package dev.touchmark;

import com.sun.jna.Pointer;
import java.util.Collection;
import java.util.Objects;
import java.util.Set;

/** What an artifact must satisfy. */
public final class Policy extends Handle {
    private Policy(Pointer object) {
        super(object, C::touchmark_policy_free);
    }

    /** A kind of evidence that a trust root may accept by. */
    public enum Acceptance {
        /** An entry of the metadata: fresh, and no older one. */
        ENTRY,
        /** A seal: what was accepted before keys changed. */
        SEAL,
        /** Envelopes. */
        ENVELOPES
    }

    /**
     * Signatures by keys.
     *
     * @param keys those that may have signed
     * @param threshold how many of them must have
     * @return to be built
     * @throws TouchmarkException the threshold cannot be reached
     */
    public static Builder ofKeys(Collection<PublicKey> keys, int threshold) throws TouchmarkException {
        return new Builder(Call.object(c -> C.touchmark_policy_builder_from_keys(
                c.handles(keys), keys.size(), Math.max(threshold, 0), c.out, c.error)));
    }

    /**
     * What the metadata of a trust root says of a name, and nothing of the policy that its repository signs itself: whoever has the source of an
     * artifact uses {@link TrustRoot#verify(Source, String, Instant)}, which asks both.
     *
     * @param standing of the name
     * @return to be built
     * @throws TouchmarkException the standing was closed
     */
    public static Builder ofStanding(Standing standing) throws TouchmarkException {
        return new Builder(Call.object(c -> C.touchmark_policy_builder_from_standing(c.use(standing), c.out, c.error)));
    }

    /** Asks for more. For one thread. */
    public static final class Builder extends Handle {
        private Builder(Pointer object) {
            super(object, C::touchmark_policy_builder_free);
        }

        private Builder set(Call.Body body) throws TouchmarkException {
            Call.run(body);
            return this;
        }

        /**
         * Asks for a name.
         *
         * @param wanted NAME, NAME:VERSION, or NAME:* for any version
         * @return this
         * @throws TouchmarkException it is none
         */
        public Builder name(String wanted) throws TouchmarkException {
            return set(c -> C.touchmark_policy_builder_set_name(c.alone(this), c.view(wanted), c.error));
        }

        /**
         * Asks for an annotation that was signed.
         *
         * @param key of the annotation
         * @param value of the annotation
         * @return this
         * @throws TouchmarkException it is none
         */
        public Builder annotation(String key, String value) throws TouchmarkException {
            return set(c -> C.touchmark_policy_builder_require_annotation(c.alone(this), c.view(Objects.requireNonNull(key)), c.view(Objects.requireNonNull(value)), c.error));
        }

        /**
         * Asks for an attestation.
         *
         * @param predicateType of the attestation
         * @return this
         * @throws TouchmarkException it is none
         */
        public Builder predicate(String predicateType) throws TouchmarkException {
            return set(c -> C.touchmark_policy_builder_require_predicate(c.alone(this), c.view(predicateType), c.error));
        }

        /**
         * Accepts these kinds of evidence alone.
         *
         * @param kinds not empty
         * @return this
         * @throws TouchmarkException there are none
         */
        public Builder acceptOnly(Set<Acceptance> kinds) throws TouchmarkException {
            int bits = kinds.stream().mapToInt(kind -> 1 << kind.ordinal()).sum();
            return set(c -> C.touchmark_policy_builder_accept_only(c.alone(this), bits, c.error));
        }

        /**
         * Accepts by one role of the trust root alone.
         *
         * @param role its name
         * @return this
         * @throws TouchmarkException it is none
         */
        public Builder byRole(String role) throws TouchmarkException {
            return set(c -> C.touchmark_policy_builder_by_role(c.alone(this), c.view(role), c.error));
        }

        /**
         * Asks that the artifact came about as an in-toto layout says. Once: a policy has one.
         *
         * @param layout its bytes
         * @param keys by every one of which it must be signed
         * @return this
         * @throws TouchmarkException there is no key, or there was a layout already
         */
        public Builder supplyChain(byte[] layout, Collection<PublicKey> keys) throws TouchmarkException {
            return set(c -> C.touchmark_policy_builder_require_supply_chain(
                    c.alone(this), c.view(layout), c.handles(keys), keys.size(), c.error));
        }

        /**
         * The policy. The builder is closed.
         *
         * @return it
         * @throws TouchmarkException something is missing
         */
        public Policy build() throws TouchmarkException {
            try (this) {
                return new Policy(Call.object(c -> C.touchmark_policy_builder_build(c.alone(this), c.out, c.error)));
            }
        }
    }
}
