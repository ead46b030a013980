'use strict';

// in-toto layouts: verified by steps, or over a folder of links. No inspection is ever run here.

const { Handle, SECRET, Step, call, copied, dataIn, datasIn, flagsIn, handlesIn, made, madeAsync, messageIn, needed, optionsIn, pairsIn, textIn, textOf, timeIn, written } = require('./native.js');
const { PublicKey } = require('./keys.js');
const { TellsFailure, answered } = require('./failures.js');

const kinds = ['done', 'file', 'names', 'inspection'];

/** A supply chain that is as its layout says. */
class VerifiedSupplyChain extends Handle {
  get report() {
    return JSON.parse(written('verified_supply_chain_to_json', this._pointer));
  }
}

/** The verification of a layout, which `keys` must have signed, by steps. `run` does it all. */
class SupplyChain extends Handle {
  constructor(layout, keys, at, options = {}) {
    const { parameters } = optionsIn(options, 'parameters');
    const pointer = made('supply_chain_new', dataIn(layout), ...handlesIn(keys, PublicKey), ...pairsIn(parameters), timeIn(at));
    super(SECRET, 'supply_chain', pointer);
  }
  next() {
    const need = needed('supply_chain_next', this._pointer, Step);
    return { kind: kinds[need.kind], name: textOf(need.first), step: textOf(need.second), limit: Number(need.limit) };
  }
  provideBytes(data) {
    call('supply_chain_provide_bytes', this._pointer, dataIn(data));
  }
  provideAbsent() {
    call('supply_chain_provide_absent', this._pointer);
  }
  provideNames(names, options) {
    const { complete } = optionsIn(options, 'complete');
    if (typeof complete !== 'boolean') throw new TypeError('complete is true or false');
    call('supply_chain_provide_names', this._pointer, ...datasIn([...names].map((name) => Buffer.from(name))), complete ? 1 : 0);
  }
  provideFailure(failure, message = '') {
    call('supply_chain_provide_failure', this._pointer, flagsIn(failure), messageIn(message));
  }
  /** The outcome: throws SupplyChainNotVerified, whose `report` has every reason, unless all is as the layout says. */
  finish() {
    return new VerifiedSupplyChain(SECRET, 'verified_supply_chain', made('supply_chain_finish', this._pointer));
  }
  /** Gets what is needed: `file(path, limit)`, `names(folder, step)`, `inspection(name, folder)`, each of which may be asynchronous. */
  run(links) {
    return this._alone((chain) => run(chain, links));
  }
}

async function run(chain, { file, names, inspection = () => null }) {
  const failures = new TellsFailure();
  for (let need = chain.next(); need.kind !== 'done'; need = chain.next()) {
    const work = {
      file: () => file(need.name, need.limit),
      names: () => names(need.name, need.step),
      inspection: () => inspection(need.name, need.step),
    }[need.kind];
    const answer = await failures.of(async () => answered(await work()));
    if (failures.told) chain.provideFailure(failures.told.failure, failures.told.message);
    else if (need.kind === 'names') chain.provideNames(answer ?? [], { complete: true });
    else if (answer === null) chain.provideAbsent();
    else chain.provideBytes(answer);
  }
  return chain.finish();
}

/** Verifies a layout over the links in a folder. */
async function verifySupplyChain(layout, keys, links, at, options = {}) {
  const { parameters } = optionsIn(options, 'parameters');
  const held = [...keys];
  const [pairs, count] = pairsIn(parameters);
  const handles = handlesIn(held, PublicKey);
  const pointer = await madeAsync(held, 'supply_chain_verify_folder', copied(dataIn(layout)), ...handles, textIn(String(links)), pairs, count, timeIn(at));
  return new VerifiedSupplyChain(SECRET, 'verified_supply_chain', pointer);
}

module.exports = { SupplyChain, VerifiedSupplyChain, verifySupplyChain };
