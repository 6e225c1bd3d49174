import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['ts/**/*.test.ts', 'tests/**/*.test.ts', 'codegen/**/*.test.ts'],
    // A crash of native code then costs one file's process, and is reported as that file's failure.
    pool: 'forks',
    testTimeout: 60_000,
    hookTimeout: 120_000,
    // Every compile of a test runs Cranelift's verifier.
    env: { HEDDLE_VERIFY: '1', HEDDLE_CACHE: 'off' },
  },
});
