/** A fenced block. */
export interface Snippet {
  readonly language: string;
  readonly code: string;
  /** The line of its fence, counted from 1. */
  readonly line: number;
  /** Why it is not run. */
  readonly reason: string | undefined;
}

export function snippetsOf(text: string): readonly Snippet[];
export function docstringsOf(source: string): string;
export function saidOutput(code: string): readonly string[];
