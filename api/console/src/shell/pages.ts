// The pages, and who sees them.

import {
  IconActivity,
  IconBell,
  IconCar,
  IconDeviceCctv,
  IconLayoutGrid,
  IconPlayerPlay,
  IconRoute,
  IconShieldCheck,
  type Icon,
} from '@tabler/icons-react'
import type { Me } from '../api/types'
import { GROUNDS_OF } from '../stores/ground'

export type PageName = 'wall' | 'patrol' | 'desk' | 'playback' | 'vehicles' | 'cameras' | 'audit' | 'system'

const looks = (me: Me) => me.rights.includes('see_cameras') && GROUNDS_OF[me.account.role].length > 0

export const PAGES: { name: PageName; icon: Icon; sees: (me: Me) => boolean }[] = [
  { name: 'wall', icon: IconLayoutGrid, sees: looks },
  { name: 'patrol', icon: IconRoute, sees: me => me.rights.includes('run_patrols') },
  { name: 'desk', icon: IconBell, sees: me => me.rights.includes('work_alerts') },
  { name: 'playback', icon: IconPlayerPlay, sees: looks },
  {
    name: 'vehicles',
    icon: IconCar,
    sees: me =>
      me.rights.some(r => r === 'search_passes' || r === 'propose_hotlist' || r === 'approve_hotlist'),
  },
  { name: 'cameras', icon: IconDeviceCctv, sees: me => me.rights.includes('see_cameras') },
  { name: 'audit', icon: IconShieldCheck, sees: me => me.rights.includes('read_audit') },
  { name: 'system', icon: IconActivity, sees: me => me.rights.includes('see_state') },
]

export const pagesFor = (me: Me) => PAGES.filter(page => page.sees(me))
