import { operatorName } from './operator_names.js';

/** An operator that the lowering does not know. The validator lets it through where its proposal is accepted but not implemented. */
export class UnsupportedOperator extends Error {
  constructor(
    /** Opcode word. */
    readonly opcode: number,
    /** Byte offset in the module. */
    readonly offset: number,
  ) {
    super(`operator ${operatorName(opcode)} is not supported`);
    this.name = 'UnsupportedOperator';
  }
}
