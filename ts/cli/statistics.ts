/** `--stats`: counters and times of a run. */
import type { EngineStatistics } from '../instance/engine.js';
import type { StackUsage } from '../link/native.js';
import { camelCase, output, writing } from './report.js';

/** Writes counters and times to stderr: a line each, or one of JSON. `runTime` is in milliseconds. */
export function writeStatistics(counters: EngineStatistics & StackUsage, runTime: number): void {
  const rows: [string, string | number][] = [
    ['switches', counters.switches],
    ['continuations made', counters.continuationsMade],
    ['continuations live', counters.continuationsLive],
    ['continuations suspended', counters.continuationsSuspended],
    ['stacks live', counters.stacksLive],
    ['stacks hibernated', counters.stacksHibernated],
    ['stacks pooled', counters.stacksPooled],
    ['stacks peak', counters.stacksPeak],
    ['stack bytes reserved', counters.stackBytesReserved],
    ['stack bytes resident', counters.stackBytesResident],
    ['stack bytes high water', counters.stackBytesHighWater],
    ['continuations collected', counters.continuationsCollected],
    ['collections', counters.collections],
    ['last pause ms', (counters.lastPauseNanoseconds / 1e6).toFixed(3)],
    ['longest pause ms', (counters.longestPauseNanoseconds / 1e6).toFixed(3)],
    ['code bytes', counters.codeBytes],
    ['compile ms', counters.compileMilliseconds.toFixed(1)],
    ['run ms', runTime.toFixed(1)],
  ];
  if (writing.json) {
    const all = rows.map(([name, value]) => [camelCase(name), Number(value)] as const);
    output('stderr', `${JSON.stringify({ statistics: Object.fromEntries(all) })}\n`);
    return;
  }
  output('stderr', rows.map(([name, value]) => `${name}: ${value}\n`).join(''));
}
