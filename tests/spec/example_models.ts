/** What some of the proposal's example programs print, from models written by what their texts say: tasks are generators, and schedulers are loops. */

/** What a task of the asynchronous program asks of its scheduler. */
type Request =
  | 'yield'
  | { readonly async: (promise: number) => Task }
  | { readonly await: number }
  | { readonly fulfill: number; readonly value: number };
type Task = Generator<Request, void, number>;

/** "compute p = 1+..+3; q = 5+..+7; r = 10+...+15 asynchronously", then x = p * q, then x + r. */
export function asyncAwait(): number[] {
  const printed: number[] = [];
  const log = (value: number): number => printed.push(value);

  const sum = (from: number, to: number) =>
    function* (promise: number): Task {
      let all = 0;
      for (let i = from; i <= to; i++) {
        log(i);
        all += i;
        if (i < to) yield 'yield';
      }
      yield { fulfill: promise, value: all };
    };

  function* main(): Task {
    log(-1);
    const p = yield { async: sum(1, 3) };
    log(-2);
    const q = yield { async: sum(5, 7) };
    log(-3);
    const r = yield { async: sum(10, 15) };
    log(-4);
    const x = (yield { await: p }) * (yield { await: q });
    log(-5);
    const y = (yield { await: r }) + x;
    log(-6);
    log(y);
    log(-7);
  }

  // A queue of tasks, each with the value that it goes on with; a promise has a value and at most one observer.
  const queue: [task: Task, value: number][] = [];
  const values: (number | undefined)[] = [];
  const observers: (Task | undefined)[] = [];
  let next: [task: Task, value: number] | undefined = [main(), 0];
  while (next !== undefined) {
    const [task, input]: [Task, number] = next;
    const { value: request, done }: IteratorResult<Request, void> = task.next(input);
    if (done === true) {
      next = queue.shift();
    } else if (request === 'yield') {
      queue.push([task, 0]);
      next = queue.shift();
    } else if ('async' in request) {
      // The one who asked waits in the queue with the promise; the computation begins at once.
      const promise = values.push(undefined) - 1;
      queue.push([task, promise]);
      next = [request.async(promise), 0];
    } else if ('await' in request) {
      const known = values[request.await];
      if (known === undefined) observers[request.await] = task;
      next = known === undefined ? queue.shift() : [task, known];
    } else {
      values[request.fulfill] = request.value;
      const observer = observers[request.fulfill];
      if (observer !== undefined) queue.push([observer, request.value]);
      next = [task, 0];
    }
  }
  return printed;
}

/** A task of the programs with `switch`: yields the one that it switches to, and goes on with the one that switched to it, if any did. */
type Switcher = Generator<Switcher | undefined, void, Switcher | undefined>;

/**
 * Four tasks: each first enqueues who switched to it, then the next task, prints its number `times` times, and switches to the head of the queue in between.
 * Where the queue has `limit` tasks, scheduling one cancels its head.
 */
export function switching(times: number, limit = Number.POSITIVE_INFINITY): number[] {
  const printed: number[] = [];
  const queue: Switcher[] = [];
  const schedule = (task: Switcher): void => {
    if (queue.length >= limit) queue.shift()?.return();
    queue.push(task);
  };

  function* task(id: number): Switcher {
    const from = yield undefined;
    if (from !== undefined) schedule(from);
    if (id < 3) schedule(made(id + 1));
    printed.push(id);
    for (let i = 1; i < times; i++) {
      const head = queue.shift();
      const received = head === undefined ? undefined : yield head;
      if (received !== undefined) schedule(received);
      printed.push(id);
    }
  }
  /** A task that waits for its first argument. */
  const made = (id: number): Switcher => {
    const fresh = task(id);
    fresh.next();
    return fresh;
  };

  schedule(made(0));
  for (let current = queue.shift(), from: Switcher | undefined; current !== undefined; ) {
    const { value, done }: IteratorResult<Switcher | undefined, void> = current.next(from);
    from = done === true ? undefined : current;
    current = done === true ? queue.shift() : (value as Switcher);
  }
  return printed;
}

/** "send the message 42 through a chain of n actors": each prints -1 when it gets it, and the last prints the message. */
export function actorChain(length: number): number[] {
  return [...Array.from({ length }, () => -1), 42];
}
