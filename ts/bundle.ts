/** What is in the API's bundle (scripts/bundle.mjs): its own names, and what `heddle/register`, `heddle/typed` and `heddle/testing` need. */
export * from './index.js';
export { hooked, register } from './register.js';
export * as testing from './testing/index.js';
export * as typed from './typed/index.js';
