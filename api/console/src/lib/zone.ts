// The zone all times of this window are shown in.

import { localZone } from './time'

export const ZONE = localZone()
