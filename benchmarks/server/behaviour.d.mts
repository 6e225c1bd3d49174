import type { ServerOptions } from './processes.mjs';

type Find = (node: string, options: ServerOptions) => Promise<string>;
/** By what happens: a line of what comes of it. */
export const BEHAVIOUR: Readonly<Record<'stop the server' | 'cancel streams' | 'clients that do not read', Find>>;
