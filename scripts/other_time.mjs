// Functions are compiled at one time where nothing is said (docs/decisions/0037): nearly all tests run so. Some run the other way as well. Whoever
// changes what holds where nothing is said changes this.
/** The other way: how parts are named that run so, and what is added to their environment. */
export const OTHER_TIME = { name: 'compiled lazily', env: { HEDDLE_COMPILE: 'lazy' } };
