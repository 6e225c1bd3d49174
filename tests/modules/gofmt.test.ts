import { readFileSync } from 'node:fs';
import { beforeAll, describe, expect, test } from 'vitest';
import { WebAssembly as Heddle } from '../../ts/index.js';
import { goSource } from './go_source.js';

const packageUrl = new URL('../../node_modules/@wasm-fmt/gofmt/', import.meta.url);
const bytes = readFileSync(new URL('gofmt.wasm', packageUrl));

/** The package's own glue: takes the module's exports and Go source, gives formatted source or throws. */
type Format = (exports: object, source: string) => string;

interface GofmtExports {
  _initialize(): void;
}

async function loadGlue(): Promise<Format> {
  const glue: { format: Format } = await import(new URL('gofmt_binding.js', packageUrl).href);
  return glue.format;
}

describe('@wasm-fmt/gofmt through its own glue', () => {
  let format: Format;
  let ours: object;
  let v8: object;

  beforeAll(async () => {
    format = await loadGlue();
    const heddle = await Heddle.instantiate(bytes);
    ours = heddle.instance.exports;
    v8 = (await WebAssembly.instantiate(bytes)).instance.exports;
    (ours as GofmtExports)._initialize();
    (v8 as GofmtExports)._initialize();
  }, 60_000);

  test.each([1_000, 200_000])(
    'formats %i bytes as under V8',
    (length) => {
      const source = goSource(length);
      expect(Buffer.byteLength(source)).toBeGreaterThanOrEqual(length);
      const formatted = format(ours, source);
      expect(formatted).not.toBe(source);
      expect(formatted).toBe(format(v8, source));
      // gofmt's output is a fixed point of gofmt.
      expect(format(ours, formatted)).toBe(formatted);
    },
    60_000,
  );

  test('reports a syntax error in the same words', () => {
    const source = 'package main\nfunc f( {\n';
    const message = (exports: object): string => {
      try {
        format(exports, source);
      } catch (error) {
        return String(error);
      }
      return 'formatted';
    };
    expect(message(ours)).toBe(message(v8));
    expect(message(ours)).toContain('expected');
  });
});
