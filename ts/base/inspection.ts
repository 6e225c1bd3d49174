/**
 * What `util.inspect` and `console.log` show of Heddle's objects, whose fields are private.
 */
import { inspect } from 'node:util';
import { define, defineConstant, each, keys } from './intrinsics.js';

/** The name of the method that Node calls for it. It returns a {@link view}; or the object itself, for what only has its prototype: Node then shows that as any other object. */
export const inspected: typeof inspect.custom = inspect.custom;

const { toStringTag } = Symbol;

/** An object to be shown in place of another: a class's name, and fields. Those that are undefined are left out. */
export function view(name: string, fields: object, tag = ''): object {
  const Shown = class {};
  defineConstant(Shown, 'name', name);
  if (tag !== '') defineConstant(Shown.prototype, toStringTag, tag);
  const shown = new Shown();
  each(keys(fields), (field) => {
    const value = (fields as Readonly<Record<string, unknown>>)[field];
    if (value !== undefined) define(shown, field, value);
  });
  return shown;
}
