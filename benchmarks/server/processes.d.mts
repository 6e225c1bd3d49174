/** What a server is started with: milliseconds of a wait, how many requests are to be open before the first goes on, the build of service.c. */
export type ServerOptions = {
  readonly engine: string;
  readonly protocol: 'http' | 'http2';
  readonly delay?: number;
  readonly open?: number;
  readonly file?: string;
};
export interface Server {
  readonly ended: Promise<number | string>;
  stop(signal?: string): void;
}
/** Starts a server, does something with it, and ends it. */
export function withServer<T>(node: string, options: ServerOptions, use: (server: Server, port: number) => Promise<T>): Promise<T>;
