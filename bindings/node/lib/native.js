'use strict';

// The C interface: finding the library, its functions' types, bytes in and out, and who owns what.

const fs = require('node:fs');
const path = require('node:path');
const koffi = require('koffi');
const { classOf, errors } = require('./errors.js');
const { prototypes } = require('./prototypes.js');

const ABI = [0, 1];

// Calls that read files run on threads of koffi's, on stacks of this size, a quarter of what a thread usually has. Koffi's own default is too small,
// and can be changed only before anything has loaded a library by it.
const STACK = 2 << 20;
if (koffi.config().async_stack_size < STACK) {
  try {
    koffi.config({ async_stack_size: STACK });
  } catch {
    // Another package was first: what would need the stack is refused, by `callAsync`.
  }
}

const Bytes = koffi.struct({ ptr: 'const void *', len: 'size_t' });
const Pair = koffi.struct({ key: Bytes, value: Bytes });
const Need = koffi.struct({ kind: 'uint32_t', thorough: 'uint32_t', digest: Bytes, limit: 'uint64_t', entries: 'uint64_t' });
// touchmark_tuf_step and touchmark_supply_chain_need, which have the same form.
const Step = koffi.struct({ kind: 'uint32_t', reserved: 'uint32_t', first: Bytes, second: Bytes, limit: 'uint64_t' });
const Sign = koffi.pointer(koffi.proto('uint32_t', ['void *', Bytes, 'void *']));

const types = {
  b: Bytes,
  p: 'void *',
  h: koffi.pointer('void *'),
  d: koffi.pointer(Bytes),
  r: koffi.pointer(Pair),
  // Where something is written: a typed array, whose memory koffi passes itself.
  o: 'void *',
  n: 'void *',
  s: 'void *',
  f: Sign,
  i: 'int64_t',
  u: 'uint32_t',
  z: 'size_t',
  Q: 'uint64_t',
  v: Bytes,
  '-': 'void',
};

function locate() {
  if (process.env.TOUCHMARK_LIBRARY) return process.env.TOUCHMARK_LIBRARY;
  const beside = path.join(__dirname, '..', 'native', 'libtouchmark.so');
  return fs.existsSync(beside) ? beside : 'libtouchmark.so.0';
}

const file = locate();
const library = koffi.load(file);

/** The functions of the library, without their prefix, typed when they are first asked for. */
const lib = new Proxy(Object.create(null), {
  get(functions, name) {
    if (!(name in functions)) {
      const [result, parameters] = prototypes.get(name);
      try {
        functions[name] = library.func(`touchmark_${name}`, types[result], [...parameters].map((kind) => types[kind]));
      } catch {
        throw new errors.Unsupported(112, 'UNSUPPORTED', 'unsupported', `this build of the library has no touchmark_${name}`);
      }
    }
    return functions[name];
  },
});

const version = lib.abi_version();
if (version >>> 24 !== ABI[0] || ((version >>> 12) & 0xfff) !== ABI[1]) {
  throw new Error(`the library ${file} has the interface ${version >>> 24}.${(version >>> 12) & 0xfff}, not ${ABI.join('.')}`);
}

/** A copy of what a view shows. */
function bytesOf(view) {
  return view.len ? Buffer.from(koffi.decode(view.ptr, 'uint8_t', Number(view.len))) : Buffer.alloc(0);
}

/** The text of a view. */
function textOf(view) {
  return bytesOf(view).toString('utf8');
}

/** The error that a status and an error handle, which is given back, tell. */
function failure(status, error) {
  const name = textOf(lib.status_name(status)) || String(status);
  const parts = error ? [lib.error_code(error), lib.error_message(error), lib.error_json(error)].map(textOf) : ['', '', ''];
  if (error) lib.error_free(error);
  const Kind = classOf(status);
  return new Kind(status, name, ...parts);
}

// What callbacks of the call that runs threw; the first one counts.
let thrown;

/** Runs a callback's work, which gives a status. What it throws is kept and thrown when the call ends: no exception may cross the library. */
function callback(work) {
  const before = thrown;
  thrown = undefined; // for the calls that the work makes
  try {
    return work();
  } catch (error) {
    thrown = { error };
    return 600;
  } finally {
    thrown = before ?? thrown;
  }
}

/** Where a pointer is written. */
const place = () => new BigUint64Array(1);

/** What a function writes into a structure that says what is needed next. */
function needed(name, pointer, type) {
  const structure = Buffer.alloc(koffi.sizeof(type));
  call(name, pointer, structure);
  return koffi.decode(structure, type);
}

// How many calls run in this thread, one in a callback of another, and what was closed meanwhile.
let running = 0;
const closed = [];

/** Calls a function with the trailing error and throws what it says. */
function call(name, ...parameters) {
  const error = place();
  let status;
  running += 1;
  try {
    status = lib[name](...parameters, error);
  } finally {
    running -= 1;
    if (running === 0) while (closed.length) free(closed.pop());
  }
  const kept = thrown;
  thrown = undefined;
  if (status !== 0) {
    const told = failure(status, error[0]);
    throw kept ? kept.error : told;
  }
  if (kept) throw kept.error;
}

/** The same on a thread of koffi's, for functions that read files. `handles` are kept until it ends; none of the functions calls back. */
async function callAsync(handles, name, ...parameters) {
  if (koffi.config().async_stack_size < STACK) {
    const advice = `load touchmark first, or call koffi.config({ async_stack_size: ${STACK} }) before`;
    throw new Error(`another package has loaded a library by koffi already, so that the stacks of its threads are too small: ${advice}`);
  }
  const error = place();
  const owners = handles.map((handle) => handle._use());
  return new Promise((resolve, reject) => {
    const settle = (fault, status) => {
      parameters.length = 0; // until now they hold the memory that was passed
      for (const owner of owners) release(owner);
      if (fault) reject(fault);
      else if (status !== 0) reject(failure(status, error[0]));
      else resolve();
    };
    try {
      lib[name].async(...parameters, error, settle);
    } catch (fault) {
      settle(fault);
    }
  });
}

/** The pointer of a handle that a function makes. */
function made(name, ...parameters) {
  const out = place();
  call(name, ...parameters, out);
  return out[0];
}

async function madeAsync(handles, name, ...parameters) {
  const out = place();
  await callAsync(handles, name, ...parameters, out);
  return out[0];
}

function taken(buffer) {
  const bytes = bytesOf(lib.buffer_bytes(buffer));
  lib.buffer_free(buffer);
  return bytes;
}

/** What a function writes into a buffer. */
function written(name, ...parameters) {
  return taken(made(name, ...parameters));
}

async function writtenAsync(handles, name, ...parameters) {
  return taken(await madeAsync(handles, name, ...parameters));
}

/** Bytes as an argument: a Buffer, another view, an ArrayBuffer. */
function dataIn(data) {
  if (data instanceof ArrayBuffer) data = new Uint8Array(data);
  if (!ArrayBuffer.isView(data)) throw new TypeError('bytes are wanted here: a Buffer, a Uint8Array or an ArrayBuffer');
  // koffi passes the memory itself, without a copy.
  let bytes = data instanceof Uint8Array ? data : Buffer.from(data.buffer, data.byteOffset, data.byteLength);
  // What other threads may change while it is looked at is copied.
  if (bytes.buffer instanceof SharedArrayBuffer) bytes = Buffer.from(bytes);
  return { ptr: bytes.length ? bytes : null, len: bytes.length };
}

/** Text as an argument: a string, or bytes; nothing is the empty text. */
function textIn(text) {
  if (text === undefined || text === null) return { ptr: null, len: 0 };
  return dataIn(typeof text === 'string' ? Buffer.from(text.isWellFormed() ? text : notText(), 'utf8') : text);
}

/** What is asked for, as an option, as an argument; one that is not there asks for nothing. One that is undefined or empty would, too. */
function wantedIn(options, name) {
  const wanted = textIn(options[name]);
  if (Object.hasOwn(options, name) && !wanted.len) throw new TypeError(`${name} is undefined or empty, which asks for nothing; leave it out if that is meant`);
  return wanted;
}

function notText() {
  throw new TypeError('a string with half of a surrogate pair is no text');
}

/** A copy, for a call that runs while JavaScript goes on. */
function copied(argument) {
  return { ptr: argument.ptr && Buffer.from(argument.ptr), len: argument.len };
}

/** Seconds since 1970 as an argument. What is not after 1970 is refused by the library. */
function timeIn(at) {
  if (at instanceof Date) at = Math.floor(at.getTime() / 1000);
  if (!Number.isInteger(at)) throw new TypeError('a time is whole seconds since 1970, or a Date');
  // What no number tells exactly is as far away as can be, which the library refuses.
  return Number.isSafeInteger(at) ? at : at > 0 ? 2n ** 63n - 1n : -(2n ** 63n);
}

/** A count as an argument. */
function countIn(count) {
  if (!Number.isSafeInteger(count) || count < 0) throw new TypeError('a count is a whole number from 0');
  return count;
}

/** A number of 32 bits as an argument, which koffi would cut. */
function flagsIn(number) {
  if (countIn(number) > 0xffffffff) throw new TypeError('a number of 32 bits is wanted here');
  return number;
}

/** A message as an argument: what of it is no text is replaced, so that a failure stays the failure that it is. */
function messageIn(message) {
  return textIn(String(message).toWellFormed());
}

/** An object with members of its own alone. Those of a Map, and those that an object inherits, would be overlooked. */
function plain(object) {
  const parent = typeof object === 'object' && object !== null ? Object.getPrototypeOf(object) : undefined;
  if (parent === undefined || (parent !== null && Object.getPrototypeOf(parent) !== null)) throw new TypeError('a plain object is wanted here');
  return object;
}

/** Options by their names. One that is misspelt would be asked for and not be. */
function optionsIn(options, ...known) {
  const strange = Object.keys(plain(options)).find((name) => !known.includes(name));
  if (strange) throw new TypeError(`${strange} is no option here; ${known.join(', ')} are`);
  return options;
}

function datasIn(datas) {
  const array = [...datas].map(dataIn);
  return [array.length ? array : null, array.length];
}

/** The members of a plain object, which are texts. */
function textsOf(pairs = {}) {
  const entries = Object.entries(plain(pairs));
  if (entries.some(([, value]) => typeof value !== 'string')) throw new TypeError('each of the members is a text');
  return entries;
}

function pairsIn(pairs) {
  const array = textsOf(pairs).map(([key, value]) => ({ key: textIn(key), value: textIn(value) }));
  return [array.length ? array : null, array.length];
}

/** A handle as an argument. One of another kind would be read as what it is not. */
function handleIn(handle, Kind) {
  if (!(handle instanceof Kind)) throw new TypeError(`${Kind.name} is wanted here`);
  return handle._pointer;
}

function handlesIn(handles, Kind) {
  const array = (handles instanceof Handle ? [handles] : [...handles]).map((handle) => handleIn(handle, Kind));
  return [array.length ? array : null, array.length];
}

function free(owner) {
  lib[`${owner.kind}_free`](owner.pointer);
  owner.after?.();
}

/** Gives a handle back when it is closed and no call uses it: none on another thread, and none that has called back. */
function release(owner) {
  owner.uses -= 1;
  if (owner.uses > 0) return;
  if (running > 0) closed.push(owner);
  else free(owner);
}

const forgotten = new FinalizationRegistry(release);

const SECRET = Symbol('made by this package alone');

/** Something of the library's. `close()`, `using` and the garbage collector give it back; a call that still runs keeps it until it ends. */
class Handle {
  #owner;
  #driven = false;
  constructor(secret, kind, pointer, after) {
    if (secret !== SECRET) throw new TypeError(`${new.target.name} has no public constructor`);
    this.#owner = { kind, pointer, after, uses: 1 };
    forgotten.register(this, this.#owner, this.#owner);
  }
  get _pointer() {
    return this.#held().pointer;
  }
  /** For a call on another thread, which ends with `release`. */
  _use() {
    const owner = this.#held();
    owner.uses += 1;
    return owner;
  }
  /**
   * For what takes many steps and waits between them. Of two at once, one would get the answers to the other's questions: what is done with the
   * handle meanwhile is WRONG_STATE, but for what `work` does, by the handle that it is given.
   */
  async _alone(work) {
    const owner = this._use();
    this.#driven = true;
    try {
      return await work(Object.create(this, { _pointer: { value: owner.pointer } }));
    } finally {
      this.#driven = false;
      release(owner);
    }
  }
  #held() {
    if (!this.#owner) throw new TypeError(`this ${this.constructor.name} is closed`);
    if (this.#driven) throw new errors.WrongState(105, 'WRONG_STATE', 'wrong-state', `this ${this.constructor.name} is being used`);
    return this.#owner;
  }
  close() {
    if (!this.#owner) return;
    forgotten.unregister(this.#owner);
    release(this.#owner);
    this.#owner = undefined;
  }
}
// Node 20 may lack Symbol.dispose; what TypeScript and Babel make of `using` defines it the same way.
Object.defineProperty(Handle.prototype, Symbol.dispose ?? Symbol.for('Symbol.dispose'), {
  configurable: true,
  writable: true,
  value() {
    this.close();
  },
});

module.exports = {
  Handle,
  Need,
  SECRET,
  Sign,
  Step,
  bytesOf,
  call,
  callAsync,
  callback,
  copied,
  countIn,
  dataIn,
  datasIn,
  flagsIn,
  handleIn,
  handlesIn,
  koffi,
  lib,
  made,
  madeAsync,
  messageIn,
  needed,
  optionsIn,
  pairsIn,
  plain,
  textIn,
  textOf,
  textsOf,
  timeIn,
  wantedIn,
  written,
  writtenAsync,
};
