import { fileURLToPath } from 'node:url'
import react from '@vitejs/plugin-react'
import { defineConfig } from 'vitest/config'

/** A running gateway to develop against; without one the mock stands in. */
const gateway = process.env.SIGHTLINE_API

export default defineConfig(async ({ command }) => {
  const mock = command === 'serve' && !gateway && !process.env.VITEST
  return {
    plugins: [react(), mock ? (await import('./mock/plugin.ts')).mockGateway() : null],
    resolve: { alias: { '@': fileURLToPath(new URL('./src', import.meta.url)) } },
    build: { target: 'es2022' as const, chunkSizeWarningLimit: 700 },
    server: gateway ? { proxy: { '/api': { target: gateway, changeOrigin: true, ws: true } } } : {},
    test: { environment: 'node' as const, include: ['src/**/*.test.ts'] },
  }
})
