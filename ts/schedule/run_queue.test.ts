import fc from 'fast-check';
import { expect, test } from 'vitest';
import { PRIORITIES, RunQueue } from './run_queue.js';

const priority = fc.integer({ min: 0, max: PRIORITIES - 1 });

test('nothing is lost, and each priority is first in, first out', () => {
  fc.assert(
    fc.property(fc.array(fc.option(priority), { maxLength: 300 }), (actions) => {
      const queue = new RunQueue<readonly [number, number]>();
      const model = Array.from({ length: PRIORITIES }, (): number[] => []);
      let length = 0;
      actions.forEach((pushed, i) => {
        if (pushed !== null) {
          queue.push([pushed, i], pushed);
          model[pushed]?.push(i);
          length++;
        } else {
          const taken = queue.shift();
          if (length === 0) expect(taken).toBeUndefined();
          else {
            expect(taken?.[1]).toBe(model[taken?.[0] ?? -1]?.shift());
            length--;
          }
        }
        expect(queue.length).toBe(length);
      });
    }),
  );
});

test('each step of priority doubles the turns', () => {
  const queue = new RunQueue<number>();
  const turns = [0, 0, 0, 0, 0, 0, 0, 0];
  for (let p = 0; p < PRIORITIES; p++) queue.push(p, p);
  // All eight together take 255 turns for each one of the lowest.
  for (let i = 0; i < 255 * 10; i++) {
    const p = queue.shift() ?? -1;
    turns[p] = (turns[p] ?? 0) + 1;
    queue.push(p, p);
  }
  turns.forEach((count, p) => expect(Math.abs(count - 10 * 2 ** p)).toBeLessThanOrEqual(1));
});

test('who comes late does not make up for the time before', () => {
  const queue = new RunQueue<number>();
  queue.push(3, 3);
  for (let i = 0; i < 1000; i++) queue.push(queue.shift() ?? -1, 3);
  queue.push(4, 3);
  const order: (number | undefined)[] = [];
  for (let i = 0; i < 6; i++) {
    const next = queue.shift();
    order.push(next);
    queue.push(next ?? -1, 3);
  }
  expect(order).toEqual([3, 4, 3, 4, 3, 4]);
  queue.push(7, 7);
  expect([queue.shift(), queue.shift()].includes(7)).toBe(true);
});

test('a priority that there is not is a RangeError', () => {
  for (const wrong of [-1, 8, 0.5]) expect(() => new RunQueue().push(0, wrong)).toThrow(RangeError);
});
