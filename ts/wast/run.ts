/**
 * Runs the specification's scripts and counts assertions.
 */

import { Exception } from '../api/exception.js';
import { globalOf } from '../api/objects.js';
import { Instance, Module } from '../api/web_assembly.js';
import type { WebAssembly } from '../base/v8_types.js';
import { V8 } from '../errors/v8.js';
import { VMFunction } from '../generated/abi.js';
import { loadCell } from '../instance/cells.js';
import { type Engine, theEngine } from '../instance/engine.js';
import { isShared } from '../instance/memories.js';
import { FEATURE_BITS, validateModule } from '../validate/validate.js';
import type { Failure, ScriptResult } from './result.js';
import { type Action, type Directive, parseScript, type ScriptValue } from './script.js';
import { spectest } from './spectest.js';
import { ScriptThread, type ThreadJob } from './threads.js';
import { matches, References, SLOT, show, showExpected, writeArgument } from './values.js';

interface ErrorLike {
  readonly message: string;
  readonly code?: string;
}

function described(error: unknown): ErrorLike {
  if (error instanceof Error || error instanceof Exception) {
    const code: unknown = Reflect.get(error, 'code');
    return typeof code === 'string' ? { message: error.message, code } : { message: error.message };
  }
  return { message: String(error) };
}

/** What a call threw, or undefined. */
function thrown(run: () => unknown): { readonly error: unknown } | undefined {
  try {
    run();
    return undefined;
  } catch (error) {
    return { error };
  }
}

/** An instance, as far as scripts use it. */
interface NamedExports {
  readonly exports: Record<string, unknown>;
}

class Runner {
  passed = 0;
  readonly failures: Failure[] = [];
  readonly printed: (readonly unknown[])[] = [];

  readonly #engine: Engine = theEngine();
  readonly #binaries: Uint8Array;
  readonly #features: number;
  readonly #references = new References(this.#engine);
  readonly #imports: Record<string, Record<string, unknown>>;
  readonly #instances = new Map<string, NamedExports>();
  readonly #threads = new Map<string, ScriptThread>();
  readonly #definitions = new Map<string, Module>();
  #last: NamedExports | undefined;
  #lastDefinition: Module | undefined;

  constructor(binaries: Uint8Array, features: number) {
    this.#binaries = binaries;
    this.#features = features;
    this.#imports = { spectest: spectest((values) => this.printed.push(values)) };
  }

  run(directive: Directive): void {
    const assertion = directive.type.startsWith('assert_');
    try {
      this.#directive(directive);
      if (assertion) this.passed++;
    } catch (error) {
      const { message } = described(error);
      this.failures.push({ line: directive.line, directive: directive.type, message });
    }
  }

  #directive(directive: Directive): void {
    switch (directive.type) {
      case 'module':
        return this.#module(directive);
      case 'module_definition':
        return this.#define(directive, this.#compile(directive));
      case 'module_instance':
        return this.#instance(directive);
      case 'register':
        this.#imports[directive.as ?? ''] = this.#find(directive.name ?? null).exports;
        return;
      case 'action':
        this.#perform(directive);
        return;
      case 'assert_return':
        return this.#returns(directive);
      case 'assert_trap':
      case 'assert_exhaustion':
      case 'assert_suspension':
        return this.#traps(directive);
      case 'assert_exception':
        return this.#throws(directive);
      case 'assert_invalid':
      case 'assert_malformed':
        return this.#rejected(directive);
      case 'assert_unlinkable':
        return this.#unlinkable(directive);
      case 'assert_malformed_custom':
      case 'assert_invalid_custom':
        // Custom sections of the text format are checked by the assembler alone.
        if (directive.error === undefined) throw new Error('the custom section was accepted');
        return;
      case 'thread':
        return this.#thread(directive);
      case 'wait':
        return this.#wait(directive);
      default:
        throw new Error(`${directive.type} is not supported`);
    }
  }

  /** Gives a thread an instance that it shares with its parent. */
  share(name: string, exports: Record<string, unknown>): void {
    this.#keep(name, { exports });
  }

  #thread({ name, shared, directives }: Directive): void {
    const memories: Record<string, WebAssembly.Memory> = {};
    for (const [field, value] of Object.entries(shared == null ? {} : this.#find(shared).exports)) {
      if (value instanceof V8.Memory && isShared(value)) memories[field] = value;
    }
    const job: ThreadJob = {
      directives: directives ?? [],
      binaries: this.#binaries,
      features: this.#features,
      shared: shared == null ? undefined : { name: shared, memories },
    };
    this.#threads.set(name ?? '', new ScriptThread(job));
  }

  /** Waits for a thread; what it has counted and printed is the script's. */
  #wait({ thread = '' }: Directive): void {
    const running = this.#threads.get(thread);
    if (running === undefined) throw new Error(`no thread ${thread}`);
    this.#threads.delete(thread);
    const { passed, failures, printed } = running.wait();
    this.passed += passed;
    for (const failure of failures) this.failures.push(failure);
    for (const line of printed) this.printed.push(line);
  }

  #bytes({ start, length, error }: Directive): Uint8Array {
    if (start === undefined || length === undefined) throw new Error(`the module's text was not accepted: ${error ?? 'no bytes'}`);
    return this.#binaries.subarray(start, start + length);
  }

  #compile(directive: Directive): Module {
    const bytes = this.#bytes(directive);
    // A module that needs what its script's language lacks is none of the script.
    if (this.#features !== FEATURE_BITS) validateModule(bytes, this.#features);
    return new Module(bytes);
  }

  #define(directive: Directive, module: Module): void {
    this.#lastDefinition = module;
    if (directive.name != null) this.#definitions.set(directive.name, module);
  }

  #module(directive: Directive): void {
    // Whatever happens, actions that follow must not reach the instance before.
    this.#last = undefined;
    const module = this.#compile(directive);
    this.#define(directive, module);
    this.#keep(directive.name ?? null, new Instance(module, this.#imports));
  }

  #instance(directive: Directive): void {
    const module = directive.module == null ? this.#lastDefinition : this.#definitions.get(directive.module);
    if (module === undefined) throw new Error(`no module definition ${directive.module ?? ''}`);
    this.#keep(directive.name ?? null, new Instance(module, this.#imports));
  }

  #keep(name: string | null, instance: NamedExports): void {
    this.#last = instance;
    if (name !== null) this.#instances.set(name, instance);
  }

  #find(name: string | null): NamedExports {
    const found = name === null ? this.#last : this.#instances.get(name);
    if (found === undefined) throw new Error(`no instance ${name ?? ''}`);
    return found;
  }

  /** Performs an action; the results are in slots. */
  #act(action: Action): { readonly view: DataView; readonly count: number } {
    const value: unknown = this.#find(action.module).exports[action.field];
    if (action.type === 'get') return this.#get(action.field, value);
    const address = this.#engine.exports.addressOf(value);
    if (address === undefined) throw new Error(`no exported function ${action.field}`);
    const type = this.#engine.types.type(this.#engine.exports.typeOf(address));
    const args = action.args ?? [];
    if (args.length !== type.params.length)
      throw new Error(
        `${action.field} takes ${type.params.length} ${type.params.length === 1 ? 'argument' : 'arguments'}, ${args.length} given`,
      );
    const slots = new Uint8Array(SLOT * Math.max(1, type.params.length, type.results.length, this.#slots(address)));
    const view = new DataView(slots.buffer);
    args.forEach((arg, i) => writeArgument(view, i, arg, this.#references));
    this.#engine.native.invokeRaw(address, slots, 0);
    return { view, count: type.results.length };
  }

  #slots(address: number): number {
    return Number(this.#engine.native.load(address + VMFunction.slots, 'u32'));
  }

  #get(field: string, value: unknown): { readonly view: DataView; readonly count: number } {
    const global = globalOf(value);
    if (global === undefined) throw new Error(`no exported global ${field}`);
    const view = new DataView(new ArrayBuffer(SLOT));
    loadCell(this.#engine.native, global.address).forEach((word, i) => view.setUint32(4 * i, word, true));
    return { view, count: 1 };
  }

  /** Performs the action, or instantiates the module, of an assertion. */
  #perform(directive: Directive): { readonly view: DataView; readonly count: number } | undefined {
    if (directive.action !== undefined) return this.#act(directive.action);
    new Instance(this.#compile(directive), this.#imports);
    return undefined;
  }

  #returns(directive: Directive): void {
    const expected: readonly ScriptValue[] = directive.expected ?? [];
    const result = this.#perform(directive);
    const count = result?.count ?? 0;
    if (count !== expected.length) throw new Error(`expected ${expected.length} results, got ${count}`);
    expected.forEach((value, i) => {
      if (result !== undefined && !matches(result.view, i, value, this.#references)) {
        const which = count === 1 ? '' : `result ${i}: `;
        throw new Error(`${which}expected ${showExpected(value)}, got ${show(result.view, i, value)}`);
      }
    });
  }

  #traps(directive: Directive): void {
    const outcome = thrown(() => this.#perform(directive));
    if (outcome === undefined) throw new Error(`no trap, expected "${directive.text ?? ''}"`);
    const { message, code } = described(outcome.error);
    if (code?.startsWith('HEDDLE_TRAP_') !== true) throw new Error(`not a trap: ${message}`);
    this.#expectText(message, directive.text ?? '');
  }

  #throws(directive: Directive): void {
    const outcome = thrown(() => this.#perform(directive));
    if (outcome === undefined) throw new Error('no exception');
    if (!(outcome.error instanceof Exception)) throw new Error(`not an exception: ${described(outcome.error).message}`);
  }

  #rejected(directive: Directive): void {
    if (directive.error !== undefined) return;
    const outcome = thrown(() => validateModule(this.#bytes(directive), this.#features));
    if (outcome === undefined) throw new Error(`the module is accepted, expected "${directive.text ?? ''}"`);
    if (!(outcome.error instanceof V8.CompileError)) throw outcome.error;
  }

  #unlinkable(directive: Directive): void {
    const module = this.#compile(directive);
    const outcome = thrown(() => new Instance(module, this.#imports));
    if (outcome === undefined) throw new Error(`the module links, expected "${directive.text ?? ''}"`);
    if (!(outcome.error instanceof V8.LinkError)) throw outcome.error;
    this.#expectText(outcome.error.message, directive.text ?? '');
  }

  /** A message may say more than the script, or less: "uninitialized element 7" is "uninitialized element". */
  #expectText(message: string, expected: string): void {
    if (!message.startsWith(expected) && !expected.startsWith(message)) throw new Error(`"${message}", expected "${expected}"`);
  }
}

function runDirectives(runner: Runner, directives: readonly Directive[]): ScriptResult {
  for (const directive of directives) runner.run(directive);
  return { passed: runner.passed, failures: runner.failures, printed: runner.printed };
}

/** Runs what a thread of a script has to do, in that thread. */
export function runThread({ directives, binaries, features, shared }: ThreadJob): ScriptResult {
  const runner = new Runner(binaries, features);
  if (shared !== undefined) runner.share(shared.name, shared.memories);
  return runDirectives(runner, directives);
}

/** Runs a script's text, in the language that the bits of `features` say (contract/clif.ts, FEATURES). Throws where the text does not parse. */
export function runScript(text: string, features: number = FEATURE_BITS): ScriptResult {
  const { directives, binaries } = parseScript(text);
  return runDirectives(new Runner(binaries, features), directives);
}
