// How to come to each picture: [name, role, steps].

const wait = ms => new Promise(resolve => setTimeout(resolve, ms))
const playing = page =>
  page.waitForFunction(
    () => [...document.querySelectorAll('video')].some(v => v.currentTime > 0.5 && v.readyState > 2),
    null,
    { timeout: 15000 },
  )

/** Opens a ground over whatever the dialog offers. */
async function ground(page, ref, reason) {
  await page.getByTestId('need-ground').first().click()
  const field = page.getByTestId('ground-ref')
  await field.click()
  if (ref) await field.fill(ref)
  else await page.getByRole('option').first().click()
  await page.getByTestId('ground-reason').fill(reason)
  await page.getByTestId('ground-open').click()
  await page.getByTestId('ground-open').waitFor({ state: 'detached' })
}

export const STEPS = [
  ['signin', null, async page => page.getByTestId('sign-in').waitFor()],
  [
    'noground',
    'operator',
    async (page, base) => {
      await page.goto(`${base}/wall?n=4`)
      await page.getByTestId('need-ground').waitFor()
    },
  ],
  [
    'grounddialog',
    'operator',
    async page => {
      await page.getByTestId('need-ground').first().click()
      await page.getByTestId('ground-ref').fill('12345-0789')
      await page.getByTestId('ground-reason').fill('居民在站前路口遗失背包，协助寻找')
      await wait(300)
    },
  ],
  [
    'wall4',
    'operator',
    async (page, base) => {
      await page.goto(`${base}/wall?n=4`)
      await ground(page, '12345-0789', '居民在站前路口遗失背包，协助寻找')
      await playing(page)
      await wait(2500)
    },
  ],
  [
    'wall9',
    'operator',
    async (page, base) => {
      await page.goto(`${base}/wall?n=9&c=cam-1,cam-2,cam-3,cam-4,cam-5,cam-6,cam-7,cam-8,cam-9`)
      if (await page.getByTestId('need-ground').count()) {
        await page.keyboard.press('g')
        await page.getByTestId('ground-ref').fill('12345-0790')
        await page.getByTestId('ground-reason').fill('居民在站前路口遗失背包，协助寻找')
        await page.getByTestId('ground-cameras').click()
        for (let i = 0; i < 9; i++) await page.getByRole('option').first().click()
        await page.keyboard.press('Escape')
        await page.getByTestId('ground-open').click()
        await page.getByTestId('ground-open').waitFor({ state: 'detached' })
      }
      await playing(page)
      await wait(3500)
    },
  ],
  [
    'spot',
    'operator',
    async page => {
      await page.getByTestId('tile-cam-1').locator('video').dblclick()
      await playing(page)
      await wait(2500)
    },
  ],
  [
    'keys',
    'operator',
    async page => {
      await page.keyboard.press('?')
      await page.getByTestId('key-help').waitFor()
      await wait(300)
    },
  ],
  [
    'playback',
    'investigator',
    async (page, base) => {
      await page.goto(`${base}/playback/cam-2`)
      await page.getByTestId('need-ground').click()
      await page.getByTestId('ground-ref').click()
      await page.getByRole('option').first().click()
      await page.getByTestId('ground-reason').fill('核对站前路口财物被盗经过')
      await page.getByTestId('ground-window').getByText(/23/).click()
      await page.getByTestId('ground-open').click()
      await page.getByTestId('ground-open').waitFor({ state: 'detached' })
      await playing(page)
      const box = await page.getByTestId('timeline').boundingBox()
      await page.mouse.move(box.x + box.width * 0.3, box.y + 50)
      await wait(2500)
    },
  ],
  [
    'playbackgap',
    'investigator',
    async page => {
      for (let i = 0; i < 3; i++) await page.getByTestId('zoom-out').click()
      await wait(800)
      const box = await page.getByTestId('timeline').boundingBox()
      await page.mouse.click(box.x + box.width * 0.22, box.y + 50)
      await wait(2500)
      await page.mouse.move(box.x + box.width * 0.36, box.y + 50)
      await wait(700)
    },
  ],
  [
    'playbackhevc',
    'investigator',
    async (page, base) => {
      await page.goto(`${base}/playback/cam-6`)
      await wait(800)
      if (await page.getByTestId('need-ground').count()) {
        await page.getByTestId('need-ground').click()
        await page.getByTestId('ground-ref').click()
        await page.getByRole('option').first().click()
        await page.getByTestId('ground-reason').fill('核对站前路口财物被盗经过')
        await page.getByTestId('ground-open').click()
        await page.getByTestId('ground-open').waitFor({ state: 'detached' })
      }
      await wait(3500)
    },
  ],
  [
    'desk',
    'operator',
    async (page, base) => {
      await page.goto(`${base}/desk`)
      await page.getByTestId('alert-picture').waitFor()
      await wait(1200)
    },
  ],
  [
    'deskplate',
    'operator',
    async page => {
      await page.getByText('京A10D45').nth(1).click()
      await page.getByTestId('plate-read').waitFor()
      await page.getByTestId('alert-picture').waitFor()
      await wait(1200)
    },
  ],
  [
    'deskdismiss',
    'operator',
    async page => {
      await page.keyboard.press('Backspace')
      await page.getByTestId('alert-why').waitFor()
      await wait(200)
    },
  ],
  [
    'patrolstart',
    'operator',
    async (page, base) => {
      await page.goto(`${base}/patrol`)
      await page.getByTestId('patrol-start').first().waitFor()
      await wait(500)
    },
  ],
  [
    'patrol',
    'operator',
    async page => {
      await page.getByTestId('patrol-start').first().click()
      await page.getByTestId('patrol-grid').waitFor()
      await wait(3500)
    },
  ],
  [
    'patrolseen',
    'operator',
    async page => {
      await page.getByTestId('patrol-seen').and(page.locator(':enabled')).click({ timeout: 15000 })
      await wait(800)
      await page.keyboard.press('c')
      await page.getByTestId('finding-text').fill('路灯不亮')
      await page.getByTestId('finding-save').click()
      await wait(700)
      await page.keyboard.press('n')
      await wait(1500)
    },
  ],
  [
    'patrolreport',
    'operator',
    async page => {
      await page.getByTestId('patrol-end').click()
      await page.getByTestId('ask-go').click()
      await page.getByTestId('patrol-report').waitFor()
      await wait(500)
    },
  ],
  [
    'cameras',
    'integrator',
    async (page, base) => {
      await page.goto(`${base}/cameras`)
      await page.getByTestId('camera-cam-1').waitFor()
      await wait(300)
    },
  ],
  [
    'cameradrawer',
    'integrator',
    async page => {
      await page.getByTestId('camera-cam-4').click()
      await page.getByTestId('camera-drawer').waitFor()
      await wait(300)
    },
  ],
  [
    'cameraform',
    'integrator',
    async page => {
      await page.getByTestId('camera-edit').click()
      await page.getByTestId('camera-save').waitFor()
      await wait(300)
    },
  ],
  [
    'passes',
    'investigator',
    async (page, base) => {
      await page.goto(`${base}/vehicles/passes`)
      await wait(500)
      if (await page.getByTestId('need-ground').count()) {
        await page.getByTestId('need-ground').click()
        await page.getByTestId('ground-ref').click()
        await page.getByRole('option').first().click()
        await page.getByTestId('ground-reason').fill('核对站前路口财物被盗经过')
        await page.getByTestId('ground-scope').locator('label').nth(1).click()
        await page.getByTestId('ground-region').click()
        await page.getByRole('option').first().click()
        await page.getByTestId('ground-open').click()
        await page.getByTestId('ground-open').waitFor({ state: 'detached' })
      }
      await page.getByTestId('passes-search').click()
      await page.getByTestId('passes-table').waitFor()
      await wait(300)
    },
  ],
  [
    'hotlist',
    'supervisor',
    async (page, base) => {
      await page.goto(`${base}/vehicles`)
      await page.getByTestId('hotlist-table').waitFor()
      await wait(300)
    },
  ],
  [
    'audit',
    'supervisor',
    async (page, base) => {
      await page.goto(`${base}/audit`)
      await page.getByTestId('audit-table').waitFor()
      await page.getByTestId('audit-verify').click()
      await page.getByTestId('audit-verdict').waitFor()
      await page.getByTestId('audit-table').locator('tbody tr').nth(2).click()
      await wait(300)
    },
  ],
  [
    'system',
    'supervisor',
    async (page, base) => {
      await page.goto(`${base}/system`)
      await page.getByTestId('system-cards').waitFor()
      await wait(300)
    },
  ],
]
