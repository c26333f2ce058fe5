import type { ReactNode } from 'react'
import { useSession } from '../stores/session'
import { NotFound } from './gate'
import { pagesFor, type PageName } from './pages'

export function Guarded({ page, children }: { page: PageName; children: ReactNode }) {
  const me = useSession(s => s.me)
  if (!me) return null
  return pagesFor(me).some(p => p.name === page) ? children : <NotFound />
}
