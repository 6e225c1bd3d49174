/** What pictures in SVG and pages have in common. */
import type { FiberState } from '../../instance/inspect.js';

/** The colour of each state. */
export const COLOURS: Readonly<Record<FiberState, string>> = {
  running: '#d7f5dd',
  calling: '#fff3c9',
  resuming: '#e8f0fe',
  suspended: '#f3e8fd',
  parked: '#fde7d9',
  fresh: '#f5f5f5',
};

/** Text as XML and HTML have it, without the characters that XML cannot have. */
export function escapeXml(text: string): string {
  return text
    .replace(/[^\t\n\r\u{20}-\u{d7ff}\u{e000}-\u{fffd}\u{10000}-\u{10ffff}]/gu, '\ufffd')
    .replace(/[&<>"']/g, (mark) => `&#${mark.charCodeAt(0)};`);
}
