// The folders of each folder that is in layers, in their order: each may use those before it and itself; files beside
// them use all of them. scripts/check_layers.mjs checks it, and scripts/draw_pictures.mjs draws `ts` for
// docs/architecture.md.
export const layers = {
  ts: [
    'base',
    'generated',
    'errors',
    'source',
    'validate',
    'lower',
    'compile',
    'link',
    'instance',
    'schedule',
    'api',
    'typed',
    'testing',
    'wast',
    'cli',
  ],
  'ts/instance': ['messages', 'functions'],
  'ts/lower': ['program', 'module', 'function', 'operators', 'stubs'],
  native: ['base', 'fiber', 'stacks', 'continuation', 'trap', 'code', 'heap', 'bindings', 'addon'],
};
