/**
 * How the engines are started on this machine.
 */
import { peerNode } from '../../../benchmarks/harness.mjs';
import type { EngineCommand } from './worker.js';

/** V8 crashes while it compiles stack switching without the second. */
const V8_FLAGS = ['--experimental-wasm-wasmfx', '--no-turboshaft-wasm-load-elimination'];

/** The engines that there are, and a line about the one that is not. */
export function engineCommands(): { readonly commands: readonly EngineCommand[]; readonly absent: string | undefined } {
  const heddle: EngineCommand = { name: 'heddle', path: process.execPath, options: [] };
  const peer = peerNode();
  if (peer === undefined) {
    return { commands: [heddle], absent: 'V8 is not compared: there is no Node 26 (HEDDLE_PEER_NODE, or npm install --no-save node@26)' };
  }
  return { commands: [heddle, { name: 'v8', path: peer.path, options: V8_FLAGS }], absent: undefined };
}
