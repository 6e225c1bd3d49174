/**
 * The thread of elsewhere.ts. It starts when it is first needed, and does not keep the process alive.
 */
import { MessageChannel, type MessagePort, receiveMessageOnPort, Worker } from 'node:worker_threads';
import { atomicWait, createObject, env, Integers, isThere, SharedBuffer, uncurried } from '../base/intrinsics.js';
import { changedBuiltIn, internal } from '../errors/catalog.js';
import { errorOf, type Failure } from '../errors/failure.js';
import { packagePath } from './package_root.js';

/** What the thread does. */
export type Errand = 'compile' | 'check' | 'parse';

/** What it is asked. */
export interface ErrandRequest {
  readonly errand: Errand;
  readonly input: unknown;
}

/** What it answers. */
export type ErrandAnswer = { readonly result: unknown } | { readonly failure: Failure };

/** What it starts with: where requests come from and answers go, and the word that says where it is. */
export interface ErrandStart {
  readonly port: MessagePort;
  readonly progress: Int32Array;
}

/** The word's values. */
export const WAITING = 0;
export const STARTED = 1;
export const ANSWERED = 2;

/** Environment variables that it sees. */
const PASSED = ['HEDDLE_ADDON', 'HEDDLE_CODEGEN'];
/** Milliseconds until it is given up: to start, and to answer. */
const LONGEST_START = 60_000;
const LONGEST_ERRAND = 600_000;

/** Ports have their methods from a prototype that the class's own name does not lead to on every Node. */
function portMethods(): MessagePort {
  const { port1, port2 } = new MessageChannel();
  port1.close();
  port2.close();
  return Object.getPrototypeOf(port1) as MessagePort;
}

const file = packagePath('dist/compiler_thread.cjs');
const Thread = Worker;
const Channel = MessageChannel;
const receive = receiveMessageOnPort;
const postTo: (port: MessagePort, message: unknown) => void = uncurried(portMethods().postMessage);
const unref: (worker: Worker) => void = uncurried(Worker.prototype.unref);
const store = Atomics.store;

interface Connection {
  readonly port: MessagePort;
  readonly progress: Int32Array;
}

let connection: Connection | undefined;

function start(): Connection {
  const channel = new Channel();
  const progress = new Integers(new SharedBuffer(4));
  const variables = createObject(null) as Record<string, string | undefined>;
  for (let i = 0; i < PASSED.length; i++) {
    const name = PASSED[i] as string;
    if (env[name] !== undefined) variables[name] = env[name];
  }
  // asks: the channel, which is new
  const { port1, port2 } = channel;
  const errands: ErrandStart = { port: port2, progress };
  // The process's own options (loaders, inspectors, `--import`) are not for the compiler.
  unref(new Thread(file, { workerData: { errands }, transferList: [port2], execArgv: [], env: variables, name: 'heddle compiler' }));
  if (atomicWait(progress, 0, WAITING, LONGEST_START) === 'timed-out') throw internal('a compiler thread does not start');
  return { port: port1, progress };
}

/** Has the thread do something, and waits for it. `place` is what was changed. Throws an error with code HEDDLE_INTRINSICS where there is no such thread. */
export function runElsewhere(errand: Errand, input: unknown, place: string): unknown {
  if (connection === undefined && !isThere(file)) throw changedBuiltIn(place);
  connection ??= start();
  const { port, progress } = connection;
  store(progress, 0, STARTED);
  postTo(port, { errand, input });
  const waited = atomicWait(progress, 0, STARTED, LONGEST_ERRAND);
  // asks: an object that Node has just made
  const answer = waited === 'timed-out' ? undefined : (receive(port)?.message as ErrandAnswer | undefined);
  if (answer === undefined) {
    connection = undefined;
    throw internal('a compiler thread does not answer');
  }
  if ('failure' in answer) throw errorOf(answer.failure);
  return answer.result;
}
