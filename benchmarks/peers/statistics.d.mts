/** The median; of an even number of values the mean of the middle two. */
export function median(values: readonly number[]): number;
/** Half of the distance from the least to the largest, to the median. */
export function spread(values: readonly number[]): number;
export function geometric(values: readonly number[]): number;
/** The chance that two samples of one distribution differ as much as these or more: Mann and Whitney's test, exactly, both sides. */
export function chance(a: readonly number[], b: readonly number[]): number;
