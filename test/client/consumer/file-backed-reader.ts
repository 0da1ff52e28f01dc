// A reader of log memory for whom offsets below the memory start are in files, though memory has them too.

import { ControlBlock } from '../../../src/log/control-block.ts'
import type * as Readers from '../../../src/log/shared-log-reader.ts'
import type { ReadBound, ReadResult, ReadTarget } from '../../../src/log/shared-log-reader.ts'
import type { LogMemory } from '../../../src/log/log-memory.ts'

/** Made of the module that it takes the place in. */
export function fileBacked({ SharedLogReader, READ_IN_FILES }: typeof Readers): typeof SharedLogReader {
  return class FileBackedReader extends SharedLogReader {
    readonly #control: ControlBlock

    constructor(memory: LogMemory, slot: number, bound?: ReadBound) {
      super(memory, slot, bound)
      this.#control = new ControlBlock(memory, slot)
    }

    override read(target: ReadTarget, maxBytes: number): ReadResult {
      target.length = 0
      return this.#isInFiles ? READ_IN_FILES : super.read(target, maxBytes)
    }

    override pass(maxBytes: number): ReadResult {
      return this.#isInFiles ? READ_IN_FILES : super.pass(maxBytes)
    }

    get #isInFiles(): boolean {
      const { position } = this
      const isCold = position >= this.logStartOffset && position < this.#control.memoryStartOffset
      return isCold && position < this.endOffset && !this.isDeleted
    }
  }
}
