// A gateway to develop the console against: `npm run dev`. Sign in as demo-operator (or any other role), password "demo".
// `SIGHTLINE_API=http://127.0.0.1:8080 npm run dev` goes to a real one instead.

import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Plugin, ViteDevServer } from 'vite'
import { WebSocketServer } from 'ws'
import { footage, json, live } from './footage.ts'
import { prepareMedia, type Media } from './media.ts'
import { ROUTES, listeners, problem, record, tell, type Answer } from './routes.ts'
import * as world from './world.ts'

const ROOT = '/api/v1/'

export function mockGateway(): Plugin {
  return {
    name: 'sightline-mock',
    apply: 'serve',
    configureServer(server) {
      const media = prepareMedia()
      server.middlewares.use((req, res, next) => {
        if (!req.url?.startsWith(ROOT)) return next()
        void serve(media, req, res)
      })
      acceptLive(server, media)
      keepHappening()
    },
  }
}

const accountOf = (req: IncomingMessage) =>
  world.accounts.find(a => req.headers.cookie?.includes(`mock=${a.name}`)) ?? null

async function serve(media: Media, req: IncomingMessage, res: ServerResponse) {
  const url = new URL(req.url ?? '', 'http://mock')
  const path = decodeURIComponent(url.pathname.slice(ROOT.length)).split('/')
  const text = await bodyOf(req)
  const isJson = req.headers['content-type']?.includes('json') ?? false
  const body = (isJson && text ? JSON.parse(text) : {}) as Record<string, unknown>
  if (path[0] === 'session') return session(req, res, body)
  const account = accountOf(req)
  if (!account) return give(res, problem(401, 'not_signed_in', 'Nobody is signed in.', 'Sign in.'))
  if (path[0] === 'events') return events(res)
  if (path[0] === 'footage') return look(media, path, url, res)
  const route = ROUTES.find(([method, pattern]) => method === req.method && pattern.test(path.join('/')))
  if (!route)
    return give(
      res,
      problem(404, 'not_found', `No route ${req.method} ${url.pathname}.`, 'Look at the description.'),
    )
  give(res, route[2]({ account, path, query: url.searchParams, body, text }))
}

function session(req: IncomingMessage, res: ServerResponse, body: Record<string, unknown>) {
  if (req.method === 'DELETE') {
    res.setHeader('set-cookie', 'mock=; Path=/; Max-Age=0')
    return give(res, { status: 204 })
  }
  const account = world.accounts.find(a => a.name === body.name)
  if (!account || body.password !== 'demo') {
    record(null, 'sign_in_refused', String(body.name))
    return give(
      res,
      problem(
        401,
        'bad_credentials',
        'Name or password is not right.',
        'Try again, or ask an administrator.',
      ),
    )
  }
  res.setHeader('set-cookie', `mock=${account.name}; Path=/; HttpOnly; SameSite=Strict`)
  record(account, 'sign_in', account.name)
  give(res, { body: { account, csrf: 'mock' } })
}

function look(media: Media, path: string[], url: URL, res: ServerResponse) {
  const camera = world.cameras.find(c => c.id === path[1])
  const grant = world.grants.find(g => g.id === url.searchParams.get('grant'))
  if (!camera)
    return give(res, problem(404, 'not_found', `There is no camera ${path[1]}.`, 'Choose one of the list.'))
  if (!grant) return give(res, problem(403, 'grant_missing', 'Footage needs a grant.', 'Open a ground.'))
  if (grant.ended_at || Date.parse(grant.expires_at) < Date.now())
    return give(res, problem(403, 'grant_expired', 'The grant has ended.', 'Open a new ground.'))
  footage(media, camera, path.slice(2).join('/'), url, res)
}

function events(res: ServerResponse) {
  res.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' })
  const send = (event: string, data: unknown) =>
    res.write(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`)
  send('hello', { version: 'mock' })
  listeners.add(send)
  res.on('close', () => listeners.delete(send))
}

function acceptLive(server: ViteDevServer, media: Media) {
  const sockets = new WebSocketServer({ noServer: true })
  server.httpServer?.on('upgrade', (req, socket, head) => {
    const match = /^\/api\/v1\/footage\/([^/]+)\/live/.exec(req.url ?? '')
    const camera = world.cameras.find(c => c.id === match?.[1])
    if (!camera) return
    const stream = new URL(req.url ?? '', 'http://mock').searchParams.get('stream') ?? 'auto'
    sockets.handleUpgrade(req, socket, head, ws => live(media, camera, stream, ws))
  })
}

/** Things go on happening: pictures are stored, states change, alerts come up. */
function keepHappening() {
  const period = Number(process.env.MOCK_ALERT_S ?? 45) * 1000
  setInterval(() => {
    for (const camera of world.cameras)
      if (camera.state.recording)
        camera.state = { ...camera.state, last_gop_at: world.iso(Date.now() - 1000) }
      else if (camera.enabled) {
        camera.state = { ...camera.state, retry_at: world.iso(Date.now() + 8000) }
        tell('camera', { id: camera.id, state: camera.state })
      }
  }, 5000)
  setInterval(() => {
    const camera = world.cameras[Math.floor(Math.random() * 3)]
    const raised = world.alert(
      {
        kind: 'hotlist',
        hotlist: '',
        event: `p-${Date.now()}`,
        plate_read: '京A10D45',
        plate_listed: '京A10D45',
        look_alike: false,
        reason: 'stolen',
      },
      'severe',
      camera?.id ?? 'cam-1',
      `Stolen vehicle 京A10D45 at ${camera?.name ?? ''}`,
      3,
    )
    world.alerts.push(raised)
    tell('alert', raised)
  }, period)
}

async function bodyOf(req: IncomingMessage): Promise<string> {
  const parts: Buffer[] = []
  for await (const part of req) parts.push(part as Buffer)
  return Buffer.concat(parts).toString()
}

function give(res: ServerResponse, { status = 200, body }: Answer) {
  if (body === undefined) return void res.writeHead(status).end()
  if (status >= 400) res.setHeader('content-type', 'application/problem+json')
  json(res, body, status)
}
