'use strict';

// Functions of the caller's that could not get something: what of that is an answer, and what a fault of the program.

const { errors } = require('./errors.js');

/** Why something could not be had. Only NOT_FOUND means that there is none. */
const Failure = Object.freeze({ NOT_FOUND: 1, UNAVAILABLE: 2, DENIED: 3, TOO_LARGE: 4, MALFORMED: 5 });

/** Thrown by the caller's functions: it could not be had, for one of the reasons. */
class FetchFailed extends Error {
  constructor(failure, message, options) {
    super(message, options);
    this.name = 'FetchFailed';
    this.failure = failure;
  }
}

// What a program that is wrong throws. It ends the call; everything else is "could not find out", and the library decides what follows.
const faults = [TypeError, RangeError, ReferenceError, SyntaxError, EvalError, errors.TouchmarkError];

/** Whether an exception says that something could not be had. `fetch` of Node throws a TypeError with a cause when a server is not reached. */
function failed(error) {
  if (error instanceof TypeError && error.cause instanceof Error) return true;
  return error instanceof Error && !faults.some((fault) => error instanceof fault);
}

function failureOf(error) {
  if (error instanceof FetchFailed) return error.failure;
  return error.code === 'EACCES' || error.code === 'EPERM' ? Failure.DENIED : Failure.UNAVAILABLE;
}

/** What a function of the caller's answered. A function that forgot to answer, or caught an error and said nothing, has not said that there is none. */
function answered(answer) {
  if (answer === undefined) throw new TypeError('undefined is no answer; null says that there is none');
  return answer;
}

/** Runs the caller's functions; `told` says why the last one failed. */
class TellsFailure {
  told;
  async of(work) {
    this.told = undefined;
    try {
      return await work();
    } catch (error) {
      if (!failed(error)) throw error;
      this.told = { failure: failureOf(error), message: error.message };
    }
  }
}

module.exports = { Failure, FetchFailed, TellsFailure, answered };
