/** A line about a compile that takes long: on a terminal only, and gone when it ends. */

/** Milliseconds after which there is something to say. */
const PATIENCE = 1000;
/** Milliseconds between two changes of the line. */
const PERIOD = 500;
/** To the line's beginning, and delete it. */
const CLEAR = '\r\x1b[K';

/** Waits for something that compiles a file. */
export async function withProgress<T>(file: string, compile: () => Promise<T>): Promise<T> {
  const begin = Date.now();
  let written = false;
  let timer = setTimeout(tick, PATIENCE);
  timer.unref();
  function tick(): void {
    const { stderr } = process;
    if (!stderr.isTTY) return;
    stderr.write(`${CLEAR}heddle: compiling ${shortened(file, stderr.columns)}: ${Math.floor((Date.now() - begin) / 1000)} s`);
    written = true;
    timer = setTimeout(tick, PERIOD);
    timer.unref();
  }
  try {
    return await compile();
  } finally {
    clearTimeout(timer);
    if (written) process.stderr.write(CLEAR);
  }
}

/** Columns of the line besides the file's name. */
const REST = 32;

/** The end of a name, without what steers terminals, so that the line stays one. */
function shortened(file: string, columns: number): string {
  const plain = file.replace(/\p{Cc}/gu, '?');
  const room = Math.max(8, columns - REST);
  return plain.length <= room ? plain : `…${plain.slice(1 - room)}`;
}
