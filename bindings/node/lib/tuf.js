'use strict';

// The Update Framework: a client by steps, targets, and what a trust root says of a name.

const { Handle, SECRET, Step, bytesOf, call, dataIn, flagsIn, lib, made, messageIn, needed, optionsIn, textIn, textOf, timeIn, written } = require('./native.js');
const { TellsFailure, answered } = require('./failures.js');

const kinds = ['done', 'load', 'fetch', 'store', 'remove'];

/** A target that the trust metadata lists. */
class Target extends Handle {
  get length() {
    return Number(lib.tuf_target_length(this._pointer));
  }
  get role() {
    return textOf(lib.tuf_target_role(this._pointer));
  }
  get fetchPath() {
    return written('tuf_target_fetch_path', this._pointer).toString();
  }
  /** Throws NotVerified unless the bytes are the target's. */
  check(data) {
    call('tuf_target_check', this._pointer, dataIn(data));
  }
  get json() {
    return JSON.parse(written('tuf_target_to_json', this._pointer));
  }
}

/** What a trust root says of one name. It does not change. */
class Standing extends Handle {
  get expires() {
    return Number(lib.standing_expires(this._pointer));
  }
  get json() {
    return JSON.parse(written('standing_to_json', this._pointer));
  }
}

/** A client of a TUF repository by steps: `next`, then one of the `provide` methods, until done. `drive` does it all. */
class Client extends Handle {
  constructor(at, options = {}) {
    const { offline = false } = optionsIn(options, 'offline');
    super(SECRET, 'tuf_client', made('tuf_client_new', offline ? 1 : 0, timeIn(at)));
  }
  next() {
    const step = needed('tuf_client_next', this._pointer, Step);
    return { kind: kinds[step.kind], name: textOf(step.first), data: bytesOf(step.second), limit: Number(step.limit) };
  }
  provideBytes(data) {
    call('tuf_client_provide_bytes', this._pointer, dataIn(data));
  }
  provideAbsent() {
    call('tuf_client_provide_absent', this._pointer);
  }
  provideDone() {
    call('tuf_client_provide_done', this._pointer);
  }
  provideFailure(failure, message = '') {
    call('tuf_client_provide_failure', this._pointer, flagsIn(failure), messageIn(message));
  }
  /**
   * Takes steps until done. `fetch(path, limit)` gives a file's bytes, or null if there is none; `store` is a Map, or has its `get`, `set` and
   * `delete`, which may be asynchronous.
   */
  drive(fetch, store) {
    return this._alone((client) => drive(client, fetch, store));
  }
  /** Begins the search for a target; steps follow until done. */
  lookUp(path) {
    call('tuf_client_look_up', this._pointer, textIn(path));
  }
  /** The target that was looked up. Throws NotFound if nobody lists it. */
  found() {
    return new Target(SECRET, 'tuf_target', made('tuf_client_found', this._pointer));
  }
  /** What the trust root says of a NAME or NAME:VERSION that was looked up. */
  standing(name) {
    return new Standing(SECRET, 'standing', made('tuf_client_standing', this._pointer, textIn(name)));
  }
  get state() {
    return JSON.parse(written('tuf_client_state_json', this._pointer));
  }
}

async function drive(client, fetch, store) {
  const failures = new TellsFailure();
  for (let step = client.next(); step.kind !== 'done'; step = client.next()) {
    const work = {
      load: () => store.get(step.name),
      fetch: async () => answered(await fetch(step.name, step.limit)),
      store: () => store.set(step.name, step.data),
      remove: () => store.delete(step.name),
    }[step.kind];
    const answer = await failures.of(work);
    if (failures.told) client.provideFailure(failures.told.failure, failures.told.message);
    else if (step.kind === 'store' || step.kind === 'remove') client.provideDone();
    else if (answer === undefined || answer === null) client.provideAbsent();
    else client.provideBytes(answer);
  }
}

module.exports = { Client, Standing, Target };
