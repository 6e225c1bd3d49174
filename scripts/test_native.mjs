#!/usr/bin/env node
// Tests of the C++ side without Node: `node scripts/test_native.mjs`, and with `--sanitize address,undefined` under sanitizers.
// Ends with `N passed, N failed`.
import { CMAKE_TOOLS, cmakeBuild, ctest, missingTool } from './native_tests.mjs';

const at = process.argv.indexOf('--sanitize');
const sanitizers = at < 0 ? '' : (process.argv[at + 1] ?? '');
const lacking = missingTool([...CMAKE_TOOLS, [process.env.CXX ?? 'g++', 'g++']]);
if (lacking !== null) {
  console.error(lacking);
  process.exit(1);
}
const folder = sanitizers === '' ? 'build-cmake' : `build-${sanitizers.replace(/\W/g, '-')}`;
try {
  cmakeBuild(folder, [`-DHEDDLE_SANITIZE=${sanitizers}`]);
} catch (error) {
  console.error(error.message);
  console.log('0 passed, 1 failed');
  process.exit(1);
}
const { passed, failed } = ctest(folder);
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed > 0 ? 1 : 0);
