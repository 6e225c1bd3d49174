// The folders of each folder that is in layers, in their order: each may use those before it and itself; files beside
// them use all of them. scripts/check_layers.mjs checks it, and scripts/draw_pictures.mjs draws `ts` for
// docs/architecture.md.
export const layers = {
  ts: ['generated', 'errors', 'source', 'validate', 'lower', 'compile', 'link', 'instance', 'schedule', 'api', 'wast', 'cli'],
  'ts/lower': ['program', 'module', 'function', 'operators', 'stubs'],
  native: ['base', 'fiber', 'stacks', 'continuation', 'trap', 'code', 'heap', 'bindings', 'addon'],
};

// Files that still use each other in a circle, a list a circle, sorted. Only ever to become fewer: a circle that is not
// here is refused, and so is one that stands here and is none any more.
export const knownCircles = [
  [
    'ts/instance/engine.ts',
    'ts/instance/exceptions.ts',
    'ts/instance/module.ts',
    'ts/instance/number_calls.ts',
    'ts/instance/shadow.ts',
    'ts/instance/suspending_import.ts',
  ],
  ['ts/schedule/diagnostics.ts', 'ts/schedule/task.ts'],
  ['ts/schedule/group.ts', 'ts/schedule/scheduler.ts'],
  ['ts/wast/run.ts', 'ts/wast/threads.ts'],
];
