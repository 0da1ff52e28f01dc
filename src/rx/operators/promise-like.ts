// Tells what a handler will give from what it has given.

export function isPromiseLike<R>(result: PromiseLike<R> | R): result is PromiseLike<R> {
  return typeof (result as PromiseLike<R> | null | undefined)?.then === 'function'
}
