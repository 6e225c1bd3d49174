/**
 * What tasks tell Node's diagnostics channels: `heddle.task.start`, `.suspend`, `.resume`, `.end`.
 */
import { type Channel, channel } from 'node:diagnostics_channel';

/** How a task ended. */
export type TaskEnd = 'completed' | 'failed' | 'cancelled';

/** What every message says. */
export interface TaskMessage {
  /** The task's number in its scheduler. */
  readonly id: number;
  /** The task's name. */
  readonly name: string;
  /** The task's priority. */
  readonly priority: number;
}

/** A message of `heddle.task.end`. */
export interface TaskEndMessage extends TaskMessage {
  /** How it ended. */
  readonly end: TaskEnd;
}

const channels = {
  start: channel('heddle.task.start'),
  suspend: channel('heddle.task.suspend'),
  resume: channel('heddle.task.resume'),
  end: channel('heddle.task.end'),
};

function publish(to: Channel, task: TaskMessage, more: object = {}): void {
  // asks: Node's channel, which nothing of WebAssembly depends on
  if (to.hasSubscribers) to.publish({ id: task.id, name: task.name, priority: task.priority, ...more });
}

/** Its first turn begins. */
export const taskStarts = (task: TaskMessage): void => publish(channels.start, task);
/** It waits for a promise. */
export const taskSuspends = (task: TaskMessage): void => publish(channels.suspend, task);
/** A further turn begins. */
export const taskResumes = (task: TaskMessage): void => publish(channels.resume, task);
/** It is over. */
export const taskEnds = (task: TaskMessage, end: TaskEnd): void => publish(channels.end, task, { end });
