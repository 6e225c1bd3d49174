/**
 * Hashes and random bytes by what Node's crypto module was when this file was loaded: in a bundle that is when it is first needed (scripts/bundle.mjs).
 */
import { createHash, type Hash, randomBytes } from 'node:crypto';
import { getPrototypeOf, uncurried } from './intrinsics.js';

const newHash: (name: string) => Hash = createHash;
const hashMethods = getPrototypeOf(createHash('sha256')) as Hash;
const update = uncurried(hashMethods.update);
const digest = uncurried(hashMethods.digest);

/** SHA-256 of byte ranges, one after another. */
export function nodeSha256(pieces: readonly Uint8Array[]): Buffer {
  const hash = newHash('sha256');
  for (let i = 0; i < pieces.length; i++) update(hash, pieces[i]);
  return digest(hash) as Buffer;
}

export const nodeRandom: (size: number) => Uint8Array = randomBytes;
