/**
 * Verifies and signs OCI artifacts: a thin binding over Touchmark's C interface. What is accepted and what is refused is decided there, and is the
 * same in every language.
 *
 * <p>Whatever is read is untrusted until a verification gives it back: {@link dev.touchmark.VerifiedEnvelope},
 * {@link dev.touchmark.VerifiedArtifact} and {@link dev.touchmark.VerifiedSupplyChain} exist only after success; a method that throws verified
 * nothing. Every verification takes the time at which it is to hold.
 *
 * <p>Keys, policies, envelopes and what was verified are immutable, and may be used from many threads. {@link dev.touchmark.Hasher},
 * {@link dev.touchmark.Search}, {@link dev.touchmark.TufClient}, {@link dev.touchmark.SupplyChain} and {@link dev.touchmark.TrustRoot} are used
 * by one at a time; a second use at the same time fails with {@link dev.touchmark.Status#WRONG_STATE}. What was closed
 * fails with {@link dev.touchmark.Status#NULL_POINTER}, and a method that throws no {@link dev.touchmark.TouchmarkException} with an
 * {@link java.lang.IllegalStateException}: nothing empty is taken for what was verified. What is not closed is freed some time after nobody can
 * reach it.
 */
package dev.touchmark;
