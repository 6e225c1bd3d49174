/**
 * What comes out of a script, or of a thread of one.
 */

/** One assertion or step that did not hold. */
export interface Failure {
  readonly line: number;
  readonly directive: string;
  readonly message: string;
}

/** What came out of one script. */
export interface ScriptResult {
  readonly passed: number;
  readonly failures: readonly Failure[];
  /** What `spectest`'s print functions were called with. */
  readonly printed: readonly (readonly unknown[])[];
}
