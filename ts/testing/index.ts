/**
 * * `heddle/testing`: runs programs through all outcomes of their choices.
 *
 * @module heddle/testing
 */
export {
  type Ending,
  type Exploration,
  explore,
  exploreAsync,
  type Failure,
  type Outcome,
  type Replay,
  type ReplayStep,
  replay,
  replayAsync,
} from './explore.js';
export type { ExploreOptions, Outcomes, Program, ReplayOptions } from './options.js';
