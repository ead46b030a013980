/** Errors: one class for each hundred of the statuses, and for the statuses that programs ask about. */

/** A call failed. What was to be verified is not verified. */
export declare class TouchmarkError extends Error {
  readonly status: number;
  /** The status's name, such as `THRESHOLD_NOT_REACHED`. */
  readonly statusName: string;
  /** A stable text, such as `tuf-expired`. */
  readonly code: string;
  readonly hint?: string;
  /** Whether the same call may succeed later. */
  readonly retryable: boolean;
  /** Why a decision refused. */
  readonly report?: any;
  readonly json: any;
}
/** 1xx: what the caller gave, or the order of calls. */
export declare class InvalidArgument extends TouchmarkError {}
/** 105: not now. */
export declare class WrongState extends InvalidArgument {}
/** 108: the private key is encrypted, and not with this passphrase. */
export declare class WrongPassphrase extends InvalidArgument {}
/** 112: not in this build of the library, or not for this kind of thing. */
export declare class Unsupported extends InvalidArgument {}
/** 2xx: what was given to be read is not what it should be. */
export declare class Malformed extends TouchmarkError {}
/** 3xx: no signature suffices. */
export declare class NotVerified extends TouchmarkError {}
/** 301: there is no signature at all. */
export declare class Unsigned extends NotVerified {}
/** 302: the signature is not by this key over this message. */
export declare class BadSignature extends NotVerified {}
/** 303: fewer of the keys have signed than must. */
export declare class ThresholdNotReached extends NotVerified {}
/** 4xx: the trust metadata is not to be trusted. */
export declare class UntrustedMetadata extends TouchmarkError {}
/** 401: it has expired. */
export declare class ExpiredMetadata extends UntrustedMetadata {}
/** 402: it is older than what was trusted before. */
export declare class Rollback extends UntrustedMetadata {}
/** 5xx: a layout or a policy refuses. */
export declare class Refused extends TouchmarkError {}
/** 500: not made as the layout says; `report` has every reason. */
export declare class SupplyChainNotVerified extends Refused {}
/** 501: no rule accepts, or a rule rejects. */
export declare class PolicyRejected extends Refused {}
/** 6xx: your function failed. What it threw is thrown instead where there was something. */
export declare class CallbackFailed extends TouchmarkError {}
/** 7xx: it could not be found out. */
export declare class Unknown extends TouchmarkError {}
/** 701: there is none. */
export declare class NotFound extends Unknown {}
/** 702: a file or a folder could not be read or written. */
export declare class IoError extends Unknown {}
/** 9xx: a fault of the library. */
export declare class InternalError extends TouchmarkError {}
/** 901: the library stopped half-way; the handle is of no use any more. */
export declare class Panic extends InternalError {}
