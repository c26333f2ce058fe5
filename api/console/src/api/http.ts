// The one way to the gateway: JSON in and out, problems as errors with words and a way out.

export const BASE = '/api/v1'

export class Problem extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    readonly title: string,
    detail: string,
    readonly remedy: string | null,
  ) {
    super(detail)
    this.name = 'Problem'
  }
}

let csrf: string | null = null
let onSignedOut: () => void = () => undefined
/** Server clock minus ours, ms; used so that ages and "time left" are the server's. */
let skew = 0

export const setCsrf = (token: string | null) => (csrf = token)
export const whenSignedOut = (act: () => void) => (onSignedOut = act)
export const serverNow = () => Date.now() + skew

function learnClock(response: Response) {
  const date = response.headers.get('date')
  if (!date) return
  // The header has whole seconds: only a real difference counts.
  const difference = Date.parse(date) + 500 - Date.now()
  skew = Math.abs(difference) > 2500 ? difference : 0
}

async function problemOf(response: Response): Promise<Problem> {
  const type = response.headers.get('content-type') ?? ''
  const body = type.includes('json')
    ? ((await response.json().catch(() => ({}))) as Record<string, unknown>)
    : {}
  const text = (key: string) => (typeof body[key] === 'string' ? body[key] : null)
  return new Problem(
    response.status,
    text('code') ?? `http_${response.status}`,
    text('title') ?? response.statusText,
    text('detail') ?? '',
    text('remedy'),
  )
}

/** Any request; throws a `Problem` for every answer that is not a success. */
export async function request(url: string, init: RequestInit = {}): Promise<Response> {
  let response: Response
  try {
    response = await fetch(url, { credentials: 'same-origin', ...init })
  } catch (error) {
    if (error instanceof DOMException && error.name === 'AbortError') throw error
    throw new Problem(0, 'unreachable', '', '', null)
  }
  learnClock(response)
  if (response.ok) return response
  const problem = await problemOf(response)
  if (response.status === 401 && problem.code !== 'bad_credentials') onSignedOut()
  throw problem
}

export type Query = Record<string, string | number | string[] | null | undefined>

export function address(path: string, query: Query = {}): string {
  const search = new URLSearchParams()
  for (const [key, value] of Object.entries(query)) {
    if (value === null || value === undefined || value === '') continue
    for (const one of Array.isArray(value) ? value : [value]) search.append(key, String(one))
  }
  const text = search.toString()
  return `${BASE}${path}${text ? `?${text}` : ''}`
}

export async function get<T>(path: string, query?: Query, signal?: AbortSignal): Promise<T> {
  return (await request(address(path, query), { signal: signal ?? null })).json() as Promise<T>
}

export async function send<T>(method: 'POST' | 'PATCH' | 'DELETE', path: string, body?: unknown): Promise<T> {
  const headers: Record<string, string> = {}
  if (csrf) headers['X-CSRF-Token'] = csrf
  const isText = typeof body === 'string'
  if (body !== undefined) headers['Content-Type'] = isText ? 'text/csv' : 'application/json'
  const payload = body === undefined ? null : isText ? body : JSON.stringify(body)
  const response = await request(address(path), { method, headers, body: payload })
  const text = await response.text()
  return (text ? JSON.parse(text) : undefined) as T
}

/** Every page of a list, up to `most` items. */
export async function getAll<T>(path: string, query: Query = {}, most = 5000): Promise<T[]> {
  const items: T[] = []
  let cursor: string | null = null
  do {
    const page: { items: T[]; next?: string | null } = await get(path, { ...query, cursor })
    items.push(...page.items)
    cursor = page.next ?? null
  } while (cursor !== null && items.length < most)
  return items
}
