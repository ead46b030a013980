package dev.touchmark;

/** The outcomes of the C interface. The numbers never change. */
public enum Status {
    /** Verified, or done. */
    OK(0),
    /** An argument is none of the allowed. */
    INVALID_ARGUMENT(100),
    /** A handle was closed, or an argument is missing. */
    NULL_POINTER(101),
    /** A length that no memory has. */
    INVALID_LENGTH(102),
    /** Text that is not UTF-8. */
    INVALID_UTF8(103),
    /** A time that is not after 1970. */
    INVALID_TIME(104),
    /** The call comes too early, too late, or while another uses the handle. */
    WRONG_STATE(105),
    /** A key that must not be used. */
    INVALID_KEY(106),
    /** A threshold of zero, or above the number of keys. */
    INVALID_THRESHOLD(107),
    /** The passphrase does not open the key. */
    WRONG_PASSPHRASE(108),
    /** No name that a publisher may sign. */
    INVALID_NAME(109),
    /** No digest. */
    INVALID_DIGEST(110),
    /** No reference. */
    INVALID_REFERENCE(111),
    /** This build, or this algorithm, cannot do it. */
    UNSUPPORTED(112),
    /** What was read is malformed. */
    MALFORMED(200),
    /** No JSON. */
    MALFORMED_JSON(201),
    /** No envelope. */
    MALFORMED_ENVELOPE(202),
    /** No key. */
    MALFORMED_KEY(203),
    /** No policy. */
    MALFORMED_POLICY(204),
    /** Larger than the limit. */
    TOO_LARGE(205),
    /** There are signatures, and none suffices. */
    NOT_VERIFIED(300),
    /** There is no signature. */
    UNSIGNED(301),
    /** The signature is not one of the message by the key. */
    BAD_SIGNATURE(302),
    /** Fewer keys signed than must. */
    THRESHOLD_NOT_REACHED(303),
    /** Trust metadata that must not be trusted. */
    UNTRUSTED_METADATA(400),
    /** Trust metadata that has expired. */
    EXPIRED_METADATA(401),
    /** Trust metadata older than what was trusted before. */
    ROLLBACK(402),
    /** The links are not as the in-toto layout says. */
    SUPPLY_CHAIN_NOT_VERIFIED(500),
    /** No rule of the policy accepts. */
    POLICY_REJECTED(501),
    /** The caller's callback failed. */
    CALLBACK_FAILED(600),
    /** It could not be found out. */
    UNKNOWN(700),
    /** There is none. */
    NOT_FOUND(701),
    /** Reading or writing failed. */
    IO_ERROR(702),
    /** A mistake in the library. */
    INTERNAL(900),
    /** A mistake in the library ended the call. */
    PANIC(901);

    private final int number;

    Status(int number) {
        this.number = number;
    }

    /**
     * The number in the C interface.
     *
     * @return as in {@code touchmark.h}
     */
    public int number() {
        return number;
    }

    /** A status that this binding does not know yet is the first of its hundred. */
    static Status of(int number) {
        Status first = INTERNAL;
        for (Status status : values()) {
            if (status.number == number) {
                return status;
            }
            if (status.number == number / 100 * 100 && status != OK) {
                first = status;
            }
        }
        return first;
    }
}
