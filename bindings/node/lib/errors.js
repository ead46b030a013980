'use strict';

// One class for each hundred of the C interface's statuses, and for the statuses that programs ask about.

/** A call failed. What was to be verified is not verified. */
class TouchmarkError extends Error {
  #document;
  constructor(status, statusName, code, message, document = '') {
    super(message || statusName);
    this.name = new.target.name;
    this.status = status;
    this.statusName = statusName;
    this.code = code;
    this.#document = document;
  }
  get json() {
    return this.#document ? JSON.parse(this.#document) : {};
  }
  get hint() {
    return this.json.hint ?? undefined;
  }
  get retryable() {
    return this.json.retryable === true;
  }
  get report() {
    return this.json.report ?? undefined;
  }
}

class InvalidArgument extends TouchmarkError {}
class WrongState extends InvalidArgument {}
class WrongPassphrase extends InvalidArgument {}
class Unsupported extends InvalidArgument {}
class Malformed extends TouchmarkError {}
class NotVerified extends TouchmarkError {}
class Unsigned extends NotVerified {}
class BadSignature extends NotVerified {}
class ThresholdNotReached extends NotVerified {}
class UntrustedMetadata extends TouchmarkError {}
class ExpiredMetadata extends UntrustedMetadata {}
class Rollback extends UntrustedMetadata {}
class Refused extends TouchmarkError {}
class SupplyChainNotVerified extends Refused {}
class PolicyRejected extends Refused {}
class CallbackFailed extends TouchmarkError {}
class Unknown extends TouchmarkError {}
class NotFound extends Unknown {}
class IoError extends Unknown {}
class InternalError extends TouchmarkError {}
class Panic extends InternalError {}

const byStatus = {
  105: WrongState,
  108: WrongPassphrase,
  112: Unsupported,
  301: Unsigned,
  302: BadSignature,
  303: ThresholdNotReached,
  401: ExpiredMetadata,
  402: Rollback,
  500: SupplyChainNotVerified,
  501: PolicyRejected,
  701: NotFound,
  702: IoError,
  901: Panic,
};
const byHundred = {
  1: InvalidArgument,
  2: Malformed,
  3: NotVerified,
  4: UntrustedMetadata,
  5: Refused,
  6: CallbackFailed,
  7: Unknown,
  9: InternalError,
};

/** The class for a status; numbers that are newer than this file have that of their hundred. */
function classOf(status) {
  return byStatus[status] ?? byHundred[Math.floor(status / 100)] ?? TouchmarkError;
}

module.exports = {
  classOf,
  errors: { TouchmarkError, ...Object.fromEntries([...Object.values(byHundred), ...Object.values(byStatus)].map((kind) => [kind.name, kind])) },
};
