/** What is in the API's bundle (scripts/bundle.mjs): its own names, and what `heddle/register` and `heddle/typed` need. */
export * from './index.js';
export { hooked, register } from './register.js';
export * as typed from './typed/index.js';
