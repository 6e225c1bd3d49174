/**
 * The records of WASI's poll_oneoff (preview 1) in a program's memory.
 */

/** Error numbers of WASI. */
export const ERRNO = { success: 0, again: 6, badf: 8, fault: 21, inval: 28, notsup: 58 } as const;

/** Clocks by number. */
const REALTIME = 0;
const MONOTONIC = 1;

const SUBSCRIPTION_SIZE = 48;
const EVENT_SIZE = 32;
const ABSOLUTE = 1;
const HANGUP = 1;
const KINDS = ['clock', 'read', 'write'] as const;

/** What a program waits for. */
export type Subscription = {
  readonly userdata: bigint;
} & (
  | {
      readonly kind: 'clock' /** Monotonic nanoseconds; undefined for a clock that cannot be waited for. */;
      readonly deadline: bigint | undefined;
    }
  | { readonly kind: 'read' | 'write'; readonly fd: number }
);

/** What happened. */
export interface PollEvent {
  readonly subscription: Subscription;
  readonly errno: number;
  /** Bytes that can be read. */
  readonly bytes?: number;
  /** The other side is closed. */
  readonly hangup?: boolean;
}

/** The time of the clock that deadlines are given in. */
export const monotonic = (): bigint => process.hrtime.bigint();

/** Reads subscriptions; undefined where one is of no known kind. Throws a RangeError outside the memory. */
export function readSubscriptions(view: DataView, at: number, count: number): Subscription[] | undefined {
  const subscriptions: Subscription[] = [];
  for (let i = 0; i < count; i++) {
    const base = at + SUBSCRIPTION_SIZE * i;
    const userdata = view.getBigUint64(base, true);
    const kind = KINDS[view.getUint8(base + 8)];
    if (kind === undefined) return undefined;
    subscriptions.push(
      kind === 'clock'
        ? { userdata, kind, deadline: deadlineAt(view, base + 16) }
        : { userdata, kind, fd: view.getUint32(base + 16, true) },
    );
  }
  return subscriptions;
}

/** clock id u32, timeout u64 at 8, precision u64 at 16, flags u16 at 24 */
function deadlineAt(view: DataView, at: number): bigint | undefined {
  const clock = view.getUint32(at, true);
  const timeout = view.getBigUint64(at + 8, true);
  if (clock !== REALTIME && clock !== MONOTONIC) return undefined;
  if ((view.getUint16(at + 24, true) & ABSOLUTE) === 0) return monotonic() + timeout;
  return clock === MONOTONIC ? timeout : monotonic() + timeout - BigInt(Date.now()) * 1_000_000n;
}

/** Writes events: userdata u64, errno u16 at 8, kind u8 at 10, bytes u64 at 16, flags u16 at 24. Throws a RangeError outside the memory. */
export function writeEvents(view: DataView, at: number, events: readonly PollEvent[]): void {
  events.forEach(({ subscription, errno, bytes = 0, hangup = false }, i) => {
    const base = at + EVENT_SIZE * i;
    view.setBigUint64(base, subscription.userdata, true);
    view.setUint16(base + 8, errno, true);
    view.setUint8(base + 10, KINDS.indexOf(subscription.kind));
    view.setBigUint64(base + 16, BigInt(bytes), true);
    view.setUint16(base + 24, hangup ? HANGUP : 0, true);
  });
}
