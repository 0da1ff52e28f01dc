// Entry of a thread of `mapInPool`: runs the default export of the user's module on some values.

import { errorToData } from '../../errors.ts'
import type { TaskAnswer } from '../../actor/worker-pool.ts'
import { isPromiseLike } from './promise-like.ts'
import type { PoolMapAnswers, PoolMapTask } from './pool-map-task.ts'

type Mapper = (value: unknown) => unknown

const mappers = new Map<string, Promise<Mapper>>()

/** Answers with what each value gave, or failed with; a module that cannot be loaded fails all of them. */
export async function mapTask({ url, values }: PoolMapTask): Promise<TaskAnswer<PoolMapAnswers>> {
  try {
    let mapper = mappers.get(url)
    if (mapper === undefined) {
      mapper = load(url)
      mappers.set(url, mapper)
    }
    return { result: await mapAll(await mapper, values) }
  } catch (error) {
    return { error: errorToData(error) }
  }
}

async function mapAll(mapper: Mapper, values: readonly unknown[]): Promise<PoolMapAnswers> {
  const answers: TaskAnswer<unknown>[] = []
  for (const value of values) {
    try {
      const result = mapper(value)
      answers.push({ result: isPromiseLike(result) ? await result : result })
    } catch (error) {
      answers.push({ error: errorToData(error) })
    }
  }
  return answers
}

async function load(url: string): Promise<Mapper> {
  const { default: mapper } = (await import(url)) as { default?: unknown }
  if (typeof mapper !== 'function') throw new TypeError(`${url} must have a default export: the function that mapInPool runs`)
  return mapper as Mapper
}
