export * from '../generated/clif.js';
