/** How many processes a part of the tests has at once. */
export function jobs(): number;
