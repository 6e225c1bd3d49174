/** What `/orders/KEY` answers. */
export function expectedPage(key: number): string;
