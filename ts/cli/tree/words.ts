/** What a picture of fibers says, in words. */

import type { FiberInfo } from '../../instance/inspect.js';
import type { ProgramFrame } from '../../instance/messages/backtrace.js';
import type { Picture } from './rows.js';

/** Frames that are shown of each fiber. */
const FRAMES = 4;

/** Who it is. */
export function nameOf(fiber: FiberInfo): string {
  return fiber.id === 0 ? fiber.function : `${fiber.function} #${fiber.id}`;
}

/** What it does. */
export function stateOf(fiber: FiberInfo): string {
  switch (fiber.state) {
    case 'fresh':
      return 'fresh: nothing has run';
    case 'suspended':
      return `suspended with ${fiber.tag ?? 'a tag'}`;
    case 'resuming':
      return 'waits for what it resumed';
    case 'calling':
      return `calls ${fiber.import ?? 'JavaScript'}`;
    case 'parked':
      return `waits in ${fiber.import ?? 'an import'} for a promise${fiber.task === undefined ? '' : ` (task ${fiber.task})`}`;
    case 'running':
      return 'runs';
  }
}

/** What its stack takes; nothing where it has none. */
function stackOf({ stack }: FiberInfo): string[] {
  return stack.size === 0 ? [] : [`stack: ${stack.used} bytes used, ${Math.round(stack.resident / 1024)} KiB in memory`];
}

function frameText({ module, function: index, name, offset }: ProgramFrame): string {
  return `${name ?? `wasm-function[${index}]`} (${module}${offset < 0 ? '' : `:0x${offset.toString(16)}`})`;
}

/** Lines about it, below its name. */
export function detailsOf(fiber: FiberInfo): readonly string[] {
  const { frames, framesOmitted } = fiber;
  const more = frames.length + framesOmitted - FRAMES;
  return [
    stateOf(fiber) +
      (fiber.entered ? ', called by JavaScript' : '') +
      (fiber.copyOf === undefined ? (fiber.hibernated ? ', hibernates' : '') : `, a copy of fiber ${fiber.copyOf}`),
    ...stackOf(fiber),
    ...frames.slice(0, FRAMES).map((frame) => `at ${frameText(frame)}`),
    ...(more > 0 ? [`and ${more} more frames`] : []),
  ];
}

/** The line above all. */
export function headlineOf({ moment, tree }: Picture): string {
  const { length } = tree.fibers;
  return `${tree.total} fiber${tree.total === 1 ? '' : 's'} ${moment}${length < tree.total ? `, ${length} of them shown` : ''}`;
}
