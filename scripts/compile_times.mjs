// When functions are compiled depends on the module's size where nothing is said (docs/decisions/0037). Nearly all tests run so; parts that are also
// run with all modules compiled one way have one of these: how they are named, and what is added to their environment.

/** Before the module is there. */
export const EAGER = { name: 'compiled eagerly', env: { HEDDLE_COMPILE: 'eager' } };
/** Each function at its first call. */
export const LAZY = { name: 'compiled lazily', env: { HEDDLE_COMPILE: 'lazy' } };
