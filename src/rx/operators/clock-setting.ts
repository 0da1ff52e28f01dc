// The clock of operators that wait, as a setting.

import type { Clock } from '../../clock.ts'
import type { CustomSetting } from '../../config-def.ts'

export const CLOCK_SETTING: CustomSetting<Clock | undefined> = {
  type: 'custom',
  expects: 'a clock: { nowMs(), monotonicMs(), setTimer(delayMs, callback) }',
  accepts: (value) => typeof (value as Partial<Clock> | null)?.setTimer === 'function',
  default: undefined,
  takesEffect: 'at open',
  doc: 'Tells time, for tests.',
}
