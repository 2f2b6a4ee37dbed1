/** What is at hand, or has to be waited for. A query of what is in memory does without the promises. */
export type Awaitable<T> = T | Promise<T>;

/** Goes on with a value: at once when it is at hand. */
export function andThen<T, R>(value: Awaitable<T>, next: (value: T) => Awaitable<R>): Awaitable<R> {
  return value instanceof Promise ? value.then(next) : next(value);
}
