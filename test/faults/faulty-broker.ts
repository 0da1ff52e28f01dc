// Entry of a broker's worker thread that can be made to fail: the hook first, then the
// broker as it is.

import './fault-hook.ts'
import '../../src/broker/worker-main.ts'
