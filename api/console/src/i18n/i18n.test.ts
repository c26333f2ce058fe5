import { readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { firstLanguage } from './index'
import { en } from './en'
import { zh } from './zh'

type Tree = { [key: string]: string | string[] | Tree }

function leaves(tree: Tree, path = ''): Map<string, string> {
  const out = new Map<string, string>()
  for (const [key, value] of Object.entries(tree)) {
    const at = path ? `${path}.${key}` : key
    if (typeof value === 'string') out.set(at, value)
    else if (Array.isArray(value)) value.forEach((v, i) => out.set(`${at}[${i}]`, v))
    else for (const [k, v] of leaves(value, at)) out.set(k, v)
  }
  return out
}

const words = { en: leaves(en), zh: leaves(zh) }
const holes = (text: string) => [...text.matchAll(/\{\{(\w+)\}\}/g)].map(m => m[1]).sort()

function sources(dir: string): string[] {
  return readdirSync(dir, { withFileTypes: true }).flatMap(entry =>
    entry.isDirectory()
      ? sources(join(dir, entry.name))
      : /\.tsx?$/.test(entry.name) && !entry.name.includes('.test.')
        ? [readFileSync(join(dir, entry.name), 'utf8')]
        : [],
  )
}

describe('both languages', () => {
  it('have the same keys, none empty, with the same blanks to fill', () => {
    expect([...words.zh.keys()].sort()).toEqual([...words.en.keys()].sort())
    for (const [key, text] of words.en) {
      expect(text.trim(), key).not.toBe('')
      expect(words.zh.get(key)?.trim(), key).not.toBe('')
      expect(holes(words.zh.get(key) ?? ''), key).toEqual(holes(text))
    }
  })

  it('have every key that the console asks for by name', () => {
    const asked = new Set(
      sources('src').flatMap(text => [...text.matchAll(/\bt\(\s*'([\w.]+)'/g)].map(m => m[1] ?? '')),
    )
    expect(asked.size).toBeGreaterThan(150)
    const known = [...words.en.keys()]
    const missing = [...asked].filter(
      key => !known.some(k => k === key || k.startsWith(`${key}[`) || k.startsWith(`${key}.`)),
    )
    expect(missing).toEqual([])
  })

  it('leave no Chinese in the English and no untranslated sentence in the Chinese', () => {
    for (const [key, text] of words.en) expect(text, key).not.toMatch(/[\u4e00-\u9fff]/)
    for (const [key, text] of words.zh)
      if (key !== 'app.name' && /[A-Za-z]{4,}/.test(text.replace(/\{\{\w+\}\}|Sightline|rtsp|HTTP/g, '')))
        expect.fail(`${key}: ${text}`)
  })
})

describe('the first language', () => {
  it("is the chosen one, else the browser's, else English", () => {
    expect(firstLanguage('zh', ['en-GB'])).toBe('zh')
    expect(firstLanguage(null, ['de-DE', 'zh-TW', 'en'])).toBe('zh')
    expect(firstLanguage(null, ['fr'])).toBe('en')
    expect(firstLanguage('xx', ['zh-CN'])).toBe('zh')
  })
})
