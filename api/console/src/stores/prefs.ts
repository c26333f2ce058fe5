// What a person prefers on this machine: kept in the browser, never on the server.

import { create } from 'zustand'

interface Prefs {
  region: string | null
  wallList: boolean
  setRegion: (region: string | null) => void
  toggleWallList: () => void
}

const KEY = 'sightline.prefs'

function stored(): Partial<Prefs> {
  try {
    return JSON.parse(localStorage.getItem(KEY) ?? '{}') as Partial<Prefs>
  } catch {
    return {}
  }
}

export const usePrefs = create<Prefs>(set => ({
  region: stored().region ?? null,
  wallList: stored().wallList ?? true,
  setRegion: region => set({ region }),
  toggleWallList: () => set(s => ({ wallList: !s.wallList })),
}))

usePrefs.subscribe(({ region, wallList }) => localStorage.setItem(KEY, JSON.stringify({ region, wallList })))
