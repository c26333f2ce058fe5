// Pictures of every page, to be looked at: `npm run dev`, then `npm run shots -- [page ...]`.
// CONSOLE=address, OUT=folder, WIDTHS=1366,2560, LANGUAGES=zh,en, THEME=dark|light, PASSWORD for accounts demo-*.

import { mkdirSync } from 'node:fs'
import { chromium } from 'playwright-core'
import { STEPS } from './walks.mjs'

const base = process.env.CONSOLE ?? 'http://127.0.0.1:5199'
const out = process.env.OUT ?? 'node_modules/.cache/shots'
const list = (name, fallback) => (process.env[name] ?? fallback).split(',')
const wanted = process.argv.slice(2)
mkdirSync(out, { recursive: true })

const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  args: [
    ...['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run'],
    ...['--disable-background-networking', '--disable-component-update', '--disable-sync'],
  ],
})

for (const width of list('WIDTHS', '1366,2560').map(Number))
  for (const language of list('LANGUAGES', 'zh,en')) await round(width, language)
await browser.close()

async function round(width, language) {
  const context = await browser.newContext({
    viewport: { width, height: Math.round(width * 0.5625) },
    locale: language === 'zh' ? 'zh-CN' : 'en-GB',
    timezoneId: 'Asia/Shanghai',
  })
  const theme = process.env.THEME ?? 'dark'
  await context.addInitScript(t => localStorage.setItem('sightline.theme', t), theme)
  let who = undefined
  const page = await context.newPage()
  page.on('console', m => m.type() === 'error' && console.log('  console:', m.text().slice(0, 300)))
  page.on('pageerror', e => console.log('  page error:', e.message))
  for (const [name, role, walk] of STEPS) {
    if (wanted.length && !wanted.includes(name)) continue
    if (who !== role) {
      await context.clearCookies()
      await page.goto(base)
      await page.evaluate(() => sessionStorage.clear())
      if (role) await signIn(page, role)
      who = role
    }
    const file = `${out}/${name}-${width}-${language}${theme === 'light' ? '-light' : ''}.png`
    try {
      await walk(page, base)
    } catch (error) {
      console.log(`  ${name}: ${error.message.split('\n').slice(0, 6).join(' | ')}`)
    }
    await page.screenshot({ path: file })
    console.log(file)
  }
  await context.close()
}

async function signIn(page, role) {
  const passwords = process.env.PASSWORDS ? JSON.parse(process.env.PASSWORDS) : {}
  const [name, password] = passwords[role] ?? [`demo-${role}`, 'demo']
  await page.getByTestId('sign-in-name').fill(name)
  await page.getByTestId('sign-in-password').fill(password)
  await page.getByTestId('sign-in-submit').click()
  await page.getByTestId('account').waitFor()
}
