// A thread that fails as soon as it starts.

import { MillraceError } from '../../src/errors.ts'

throw new MillraceError('KAFKA_STORAGE_ERROR', 'no room')
