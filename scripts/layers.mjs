// The folders of ts/ and native/ in their order: each may use those before it and itself. scripts/check_layers.mjs
// checks it, and scripts/draw_pictures.mjs draws it for docs/architecture.md.
export const layers = {
  ts: ['generated', 'errors', 'source', 'validate', 'lower', 'compile', 'link', 'instance', 'schedule', 'api', 'wast', 'cli'],
  native: ['base', 'fiber', 'stacks', 'continuation', 'trap', 'code', 'heap', 'bindings', 'addon'],
};
