/** Pictures of a program's fibers in files: at its end, where it traps, and whenever the process gets SIGUSR2. */
import { writeFileSync } from 'node:fs';
import { constants } from 'node:os';
import { extname } from 'node:path';
import { fileFailed, usage } from '../../errors/catalog.js';
import type { Engine } from '../../instance/engine.js';
import type { FiberTree } from '../../instance/inspect.js';
import { withTasks } from '../../schedule/inspect.js';
import { reason } from '../load.js';
import { output, reportError } from '../report.js';
import { htmlOf } from './html.js';
import { jsonOf } from './json.js';
import type { Picture } from './picture.js';
import { svgOf } from './svg.js';
import { textOf } from './text.js';

/** Fibers that are looked at, at most: each takes some tens of microseconds. */
const MOST = 10_000;
/** More rows than this make no picture that anyone looks at. */
const ROWS = 1000;
const SIGNAL = 'SIGUSR2';

const WRITERS: ReadonlyMap<string, (picture: Picture) => string> = new Map([
  ['.svg', svgOf],
  ['.html', htmlOf],
  ['.txt', textOf],
  ['.json', jsonOf],
]);

/** The pictures of one run. */
export class TreeFile {
  readonly #engine: Engine;
  readonly #path: string;
  readonly #write: (picture: Picture) => string;
  #signals = 0;

  /** `path` ends with .svg, .html, .txt or .json, which decides the form; throws an error with code HEDDLE_USAGE otherwise. */
  constructor(engine: Engine, path: string) {
    const write = WRITERS.get(extname(path).toLowerCase());
    if (write === undefined) throw usage(`--tree ${path}: the name must end with .svg, .html, .txt or .json`);
    this.#engine = engine;
    this.#path = path;
    this.#write = write;
  }

  /**
   * The program is about to begin. From now on SIGUSR2 draws: where JavaScript runs, by its event loop; in a long stretch of WebAssembly, at the next
   * interrupt, within some tens of milliseconds.
   */
  begin(): void {
    this.#engine.keepTrapFibers();
    // Node's handler comes first: the one that notes the signal calls it in its turn.
    process.on(SIGNAL, () => {
      if (this.#engine.takeSignal()) this.#signalled();
    });
    this.#engine.onSignalInside(constants.signals[SIGNAL], () => this.#signalled());
  }

  /** The program has ended. Throws an error with code HEDDLE_FILE where the file cannot be written. */
  end(): void {
    this.#draw(this.#path, 'at the end', this.#engine.inspect(MOST));
  }

  /** The program has ended with an error; of a trap the fibers are drawn as they were. */
  failed(error: unknown): void {
    const code: unknown = error instanceof Error ? Reflect.get(error, 'code') : undefined;
    const trapped = String(code).startsWith('HEDDLE_TRAP_') ? this.#engine.trapFibers() : undefined;
    const moment = trapped === undefined ? 'at the end' : `at the trap: ${(error as Error).message}`;
    this.#try(() => this.#draw(this.#path, moment, trapped ?? this.#engine.inspect(MOST)));
  }

  /** Each signal's picture is a file of its own: NAME.1.svg, NAME.2.svg. Nothing may be thrown into the program that runs. */
  #signalled(): void {
    const extension = extname(this.#path);
    const path = `${this.#path.slice(0, -extension.length)}.${++this.#signals}${extension}`;
    this.#try(() => {
      this.#draw(path, `at ${SIGNAL} number ${this.#signals}`, this.#engine.inspect(MOST));
      output('stderr', `heddle: wrote ${path}\n`);
    });
  }

  /** Where something more important goes on, a picture that cannot be written is only told of. */
  #try(draw: () => void): void {
    try {
      draw();
    } catch (error) {
      reportError(error);
    }
  }

  #draw(path: string, moment: string, tree: FiberTree): void {
    const fibers = tree.fibers.slice(0, MOST);
    try {
      writeFileSync(path, this.#write({ moment, tree: withTasks({ fibers, total: tree.total }), most: ROWS }));
    } catch (error) {
      throw fileFailed(`cannot write ${path}: ${reason(error)}`);
    }
  }
}
