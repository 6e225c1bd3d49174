/** What is in the API's bundle (scripts/bundle.mjs): its own names, and what `heddle/register` needs. */
export * from './index.js';
export { hooked, register } from './register.js';
