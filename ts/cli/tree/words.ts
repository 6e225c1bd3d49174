/** What a picture of fibers says, in words. */

import type { FiberInfo } from '../../instance/inspect.js';
import type { ProgramFrame } from '../../instance/messages/backtrace.js';
import type { Picture, Row } from './picture.js';

/** Frames that are shown of each fiber. */
const FRAMES = 4;
/** Tasks and numbers that are listed of fibers that are alike. */
const LISTED = 4;

/** The first of some, and how many more there are. */
function listed(all: readonly string[]): string {
  const more = all.length - LISTED;
  return more > 0 ? `${all.slice(0, LISTED).join(', ')} and ${more} more` : all.join(', ');
}

function tasksOf({ fibers }: Row): readonly string[] {
  return fibers.flatMap(({ task }) => (task === undefined ? [] : [task]));
}

/** Who it is: the task, how many there are, and the function. */
export function nameOf(row: Row): string {
  const [{ function: name, id, task }, ...others] = row.fibers;
  if (others.length > 0) return `${row.fibers.length} × ${name}`;
  return `${task === undefined ? '' : `task ${task}: `}${name}${id === 0 ? '' : ` #${id}`}`;
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
      return `waits in ${fiber.import ?? 'an import'} for a promise`;
    case 'running':
      return 'runs';
  }
}

/** How it came there, and what it is in. */
export function whereOf({ frames, framesOmitted, entered, hibernated, copyOf }: FiberInfo): readonly string[] {
  const more = frames.length + framesOmitted - FRAMES;
  return [
    (entered ? ', called by JavaScript' : '') + (copyOf === undefined ? (hibernated ? ', hibernates' : '') : `, a copy of fiber ${copyOf}`),
    ...frames.slice(0, FRAMES).map((frame) => `at ${frameText(frame)}`),
    ...(more > 0 ? [`and ${more} more frames`] : []),
  ];
}

/** Which ones they are, where there are several. */
function membersOf(row: Row): string[] {
  if (row.fibers.length === 1) return [];
  const tasks = tasksOf(row);
  const numbers = row.fibers.flatMap(({ id }) => (id === 0 ? [] : [`#${id}`]));
  return [...(tasks.length > 0 ? [`tasks: ${listed(tasks)}`] : []), ...(numbers.length > 0 ? [listed(numbers)] : [])];
}

/** What the stacks take; nothing where there are none. */
function stackOf({ fibers }: Row): string[] {
  const [{ stack }] = fibers;
  if (stack.size === 0) return [];
  const used = fibers.map((fiber) => fiber.stack.used);
  const [least, most] = [used.reduce((a, b) => Math.min(a, b)), used.reduce((a, b) => Math.max(a, b))];
  const resident = Math.round(fibers.reduce((sum, fiber) => sum + fiber.stack.resident, 0) / 1024);
  const [stacks, range] = [fibers.length === 1 ? 'stack' : 'stacks', least === most ? `${least}` : `${least} to ${most}`];
  return [`${stacks}: ${range} bytes used${fibers.length === 1 ? '' : ' each'}, ${resident} KiB in memory`];
}

function frameText({ module, function: index, name, offset }: ProgramFrame): string {
  return `${name ?? `wasm-function[${index}]`} (${module}${offset < 0 ? '' : `:0x${offset.toString(16)}`})`;
}

/** Lines about it, below its name. */
export function detailsOf(row: Row): readonly string[] {
  const [fiber] = row.fibers;
  const [how, ...frames] = whereOf(fiber);
  return [stateOf(fiber) + how, ...membersOf(row), ...stackOf(row), ...frames];
}

/** The line above all. `rows` are those that are drawn. */
export function headlineOf({ moment, tree }: Picture, rows: readonly Row[]): string {
  const shown = rows.reduce((sum, { fibers }) => sum + fibers.length, 0);
  return `${tree.total} fiber${tree.total === 1 ? '' : 's'} ${moment}${shown < tree.total ? `, ${shown} of them shown` : ''}`;
}
