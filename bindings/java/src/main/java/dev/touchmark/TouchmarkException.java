package dev.touchmark;

import com.sun.jna.Pointer;

/** Why the library refused or failed; which of the nested classes it is says what it is about. Nothing was verified. */
public class TouchmarkException extends Exception {
    private static final long serialVersionUID = 1;

    /** What happened. */
    private final Status status;
    /** The stable code. */
    private final String code;
    /** The whole of it. */
    private final String json;

    private TouchmarkException(Status status, String code, String message, String json) {
        super(message);
        this.status = status;
        this.code = code;
        this.json = json;
    }

    /**
     * What happened.
     *
     * @return never {@link Status#OK}
     */
    public Status status() {
        return status;
    }

    /**
     * The stable code, as in the command line's JSON.
     *
     * @return as in {@code tuf-expired}
     */
    public String code() {
        return code;
    }

    /**
     * The whole of it as JSON; {@code report} is why a decision refused.
     *
     * @return an object
     */
    public String json() {
        return json;
    }

    /** The exception of an error of the library, which is freed. */
    static TouchmarkException taken(int status, Pointer error) {
        if (error == null) {
            String name = Call.string(C.touchmark_status_name(status).copied());
            return of(Status.of(status), "", name, "{}", null);
        }
        try {
            String code = Call.string(C.touchmark_error_code(error).copied());
            String message = Call.string(C.touchmark_error_message(error).copied());
            return of(Status.of(status), code, message, Call.string(C.touchmark_error_json(error).copied()), null);
        } finally {
            C.touchmark_error_free(error);
        }
    }

    static TouchmarkException of(Status status, String code, String message, String json, Throwable cause) {
        TouchmarkException made = switch (status.number() / 100) {
            case 1 -> new InvalidArgument(status, code, message, json);
            case 2 -> new Malformed(status, code, message, json);
            case 3 -> new NotVerified(status, code, message, json);
            case 4 -> new UntrustedMetadata(status, code, message, json);
            case 5 -> new PolicyRejected(status, code, message, json);
            case 6 -> new CallbackFailed(status, code, message, json);
            case 7 -> new Unknown(status, code, message, json);
            default -> new Internal(status, code, message, json);
        };
        if (cause != null) {
            made.initCause(cause);
        }
        return made;
    }

    /** The caller's argument (1xx). */
    public static final class InvalidArgument extends TouchmarkException {
        private static final long serialVersionUID = 1;

        private InvalidArgument(Status status, String code, String message, String json) {
            super(status, code, message, json);
        }
    }

    /** What was given to be read (2xx). */
    public static final class Malformed extends TouchmarkException {
        private static final long serialVersionUID = 1;

        private Malformed(Status status, String code, String message, String json) {
            super(status, code, message, json);
        }
    }

    /** Signatures: none, or none that suffices (3xx). */
    public static final class NotVerified extends TouchmarkException {
        private static final long serialVersionUID = 1;

        private NotVerified(Status status, String code, String message, String json) {
            super(status, code, message, json);
        }
    }

    /** Trust metadata: untrusted, expired, older than before (4xx). */
    public static final class UntrustedMetadata extends TouchmarkException {
        private static final long serialVersionUID = 1;

        private UntrustedMetadata(Status status, String code, String message, String json) {
            super(status, code, message, json);
        }
    }

    /** In-toto layouts and policies (5xx). */
    public static final class PolicyRejected extends TouchmarkException {
        private static final long serialVersionUID = 1;

        private PolicyRejected(Status status, String code, String message, String json) {
            super(status, code, message, json);
        }
    }

    /** The caller's callback (6xx); the cause is what it threw. */
    public static final class CallbackFailed extends TouchmarkException {
        private static final long serialVersionUID = 1;

        private CallbackFailed(Status status, String code, String message, String json) {
            super(status, code, message, json);
        }
    }

    /** It could not be found out (7xx). */
    public static final class Unknown extends TouchmarkException {
        private static final long serialVersionUID = 1;

        private Unknown(Status status, String code, String message, String json) {
            super(status, code, message, json);
        }
    }

    /** A mistake in the library (9xx). */
    public static final class Internal extends TouchmarkException {
        private static final long serialVersionUID = 1;

        private Internal(Status status, String code, String message, String json) {
            super(status, code, message, json);
        }
    }
}
