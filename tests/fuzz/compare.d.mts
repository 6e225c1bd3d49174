/** What came of one module on both engines. */
export interface Comparison {
  readonly executions: number;
  readonly skipped?: string;
  readonly difference?: string;
}

export function compare(bytes: Uint8Array, seed: number, changed?: (engine: string, value: unknown) => unknown): Comparison;
