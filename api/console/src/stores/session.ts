// Who is signed in. The cookie is the browser's; here are only the account, its rights and the CSRF token.

import { create } from 'zustand'
import { Problem, get, send, setCsrf, whenSignedOut } from '../api/http'
import type { Account, Me, Right } from '../api/types'

interface Session {
  /** `undefined`: not known yet; `null`: nobody. */
  me: Me | null | undefined
  trouble: Problem | null
  load: () => Promise<void>
  signIn: (name: string, password: string) => Promise<void>
  signOut: () => Promise<void>
}

/** `SeeCameras` and `see_cameras` are the same right. */
const rightName = (right: string) =>
  right.replace(/[A-Z]/g, (c, i: number) => (i === 0 ? '' : '_') + c.toLowerCase()) as Right

export const useSession = create<Session>((set, getState) => ({
  me: undefined,
  trouble: null,
  load: async () => {
    try {
      const me = await get<Me>('/me')
      setCsrf(me.csrf)
      set({ me: { ...me, rights: me.rights.map(rightName) }, trouble: null })
    } catch (error) {
      const problem = error instanceof Problem ? error : null
      if (problem?.status === 401) set({ me: null, trouble: null })
      else set({ trouble: problem })
    }
  },
  signIn: async (name, password) => {
    const answer = await send<{ account: Account; csrf: string }>('POST', '/session', { name, password })
    setCsrf(answer.csrf)
    await getState().load()
  },
  signOut: async () => {
    await send('DELETE', '/session').catch(() => undefined)
    setCsrf(null)
    set({ me: null })
  },
}))

whenSignedOut(() => {
  setCsrf(null)
  if (useSession.getState().me) useSession.setState({ me: null })
})
