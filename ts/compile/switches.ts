/**
 * Switches of stacks are jumped to, not called. The code generator knows calls only, and a call that no `ret` answers leaves the processor's predictor of returns one ahead, for all frames of whoever goes on:
 * each of their returns would be mispredicted. So each call of the stub `switch` becomes a jump to some instructions behind the functions. On x86-64 these are the stub's own, so that each switch has an
 * indirect jump of its own; on aarch64 they put the return address where the stub expects it, and go there.
 */
import { internal } from '../errors/catalog.js';
import { type MachineCode, word } from './part.js';
import { ARM64_CALL, X86_CALL } from './relocate.js';

/** x86-64: `call` and `jmp` with a distance of 32 bits, which counts from behind. */
const X86_CALL_OPCODE = 0xe8;
const X86_JMP_OPCODE = 0xe9;
const X86_DISTANCE = 4;
/** `lea distance(%rip), %r11`. */
const X86_LEA = [0x4c, 0x8d, 0x1d];
/** heddle_switch of asm/x86_64_sysv.S, without the `pop %r11` that it begins with. */
const X86_SWITCH = [
  ...[0x48, 0x89, 0xf0], // mov %rsi, %rax
  ...[0x4c, 0x8b, 0x47, 0x10], // mov 16(%rdi), %r8
  ...[0x4c, 0x89, 0x5f, 0x10], // mov %r11, 16(%rdi)
  ...[0x4c, 0x8b, 0x4f, 0x08], // mov 8(%rdi), %r9
  ...[0x48, 0x89, 0x6f, 0x08], // mov %rbp, 8(%rdi)
  ...[0x4c, 0x8b, 0x17], // mov (%rdi), %r10
  ...[0x48, 0x89, 0x27], // mov %rsp, (%rdi)
  ...[0x48, 0x89, 0xd1], // mov %rdx, %rcx
  ...[0x4c, 0x89, 0xcd], // mov %r9, %rbp
  ...[0x4c, 0x89, 0xd4], // mov %r10, %rsp
  ...[0x41, 0xff, 0xe0], // jmp *%r8
];
const X86_BYTES = 48;

/** aarch64: `bl`, `b`, and `adr x30, 0` with its range. */
const ARM64_OPCODE = 0xfc00_0000;
const ARM64_BL = 0x9400_0000;
const ARM64_B = 0x1400_0000;
const ARM64_ADR_X30 = 0x1000_001e;
const ARM64_ADR_RANGE = 2 ** 20;
const ARM64_BYTES = 8;

const ALIGNMENT = 16;
const ROW = 4;

/** Whether a relocation is of a call that becomes a jump: on aarch64 the address that it returns to must be near. */
function isReplaced(relocations: Int32Array, row: number, stub: number, end: number): boolean {
  if (word(relocations, row + 2) !== stub) return false;
  const kind = word(relocations, row + 1);
  return kind === X86_CALL || (kind === ARM64_CALL && end - word(relocations, row) < ARM64_ADR_RANGE);
}

/** Code in which calls of `stub`, a function number, are jumps. Where there are none it is that which is given. */
export function jumpToSwitches({ code, relocations }: MachineCode, stub: number): MachineCode {
  const start = Math.ceil(code.length / ALIGNMENT) * ALIGNMENT;
  // No code that is put behind the functions lies behind this on aarch64.
  const end = start + (relocations.length / ROW) * ARM64_BYTES;
  const rows: number[] = [];
  const others: number[] = [];
  for (let row = 0; row < relocations.length; row += ROW) (isReplaced(relocations, row, stub, end) ? rows : others).push(row);
  const [first] = rows;
  if (first === undefined) return { code, relocations };
  const isX86 = word(relocations, first + 1) === X86_CALL;
  const bytes = isX86 ? X86_BYTES : ARM64_BYTES;
  const jumping = new Uint8Array(start + rows.length * bytes);
  jumping.set(code);
  const view = new DataView(jumping.buffer);
  rows.forEach((row, i) => {
    (isX86 ? jumpOnX86 : jumpOnArm64)(view, word(relocations, row), start + i * bytes);
  });
  const kept = new Int32Array((others.length + (isX86 ? 0 : rows.length)) * ROW);
  others.forEach((row, i) => {
    kept.set(relocations.subarray(row, row + ROW), i * ROW);
  });
  if (!isX86) {
    rows.forEach((row, i) => {
      const at = (others.length + i) * ROW;
      kept.set(relocations.subarray(row, row + ROW), at);
      kept[at] = start + i * bytes + 4;
    });
  }
  return { code: jumping, relocations: kept };
}

/** Has the call whose distance stands at `at` jump to `place`, and writes the switch there. */
function jumpOnX86(view: DataView, at: number, place: number): void {
  if (view.getUint8(at - 1) !== X86_CALL_OPCODE) throw internal(`no call at ${at}`);
  const back = at + X86_DISTANCE;
  view.setUint8(at - 1, X86_JMP_OPCODE);
  view.setInt32(at, place - back, true);
  const lea = place + X86_LEA.length;
  const behind = lea + X86_DISTANCE;
  X86_LEA.forEach((byte, i) => {
    view.setUint8(place + i, byte);
  });
  view.setInt32(lea, back - behind, true);
  X86_SWITCH.forEach((byte, i) => {
    view.setUint8(behind + i, byte);
  });
}

/** Has the call at `at` branch to `place`, where a branch to the stub follows that is to be relocated. */
function jumpOnArm64(view: DataView, at: number, place: number): void {
  if ((view.getUint32(at, true) & ARM64_OPCODE) >>> 0 !== ARM64_BL) throw internal(`no call at ${at}`);
  view.setUint32(at, ARM64_B | ((place - at) >> 2), true);
  const distance = at + 4 - place;
  view.setUint32(place, (ARM64_ADR_X30 | ((distance & 3) << 29) | (((distance >> 2) & 0x7_ffff) << 5)) >>> 0, true);
  view.setUint32(place + 4, ARM64_B, true);
}
