/** Where a thread of the compiler begins (ts/compile/pool.ts): with the code generator compiled by itself, if there is one. */
import { ownCodegen } from './api/own_codegen.js';
import { compilerThread } from './compile/worker.js';
import { addon } from './link/addon.js';
import { provideCodegen } from './source/crate.js';

provideCodegen(ownCodegen);
compilerThread(addon);
