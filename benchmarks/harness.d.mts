/** A Node 26 to compare with; undefined where none is found. */
export function peerNode(): { readonly path: string; readonly version: string } | undefined;
