/** Whether V8 has structures and arrays. */
export function hasObjects(): boolean;
