import { expect, it } from 'vitest'
import { sideWay } from './link-path'

it('begins and ends at the two cards, and crosses over above the target', () => {
  const { path, middle } = sideWay({ x: 0, y: 0 }, { x: 300, y: 200 }, 0)
  expect(path.startsWith('M0,0 ')).toBe(true)
  expect(path.endsWith(' L300,200')).toBe(true)
  expect(middle).toEqual({ x: 159, y: 174 })
})

it('gives each way on a lane of its own', () => {
  const to = { x: -300, y: 200 }
  const [a, b] = [sideWay({ x: 0, y: 0 }, to, 0), sideWay({ x: 0, y: 28 }, to, 1)]
  expect(a.path).toContain('Q18,0')
  expect(b.path).toContain('Q26,28')
})

it('draws no corner larger than there is room for', () => {
  const { path } = sideWay({ x: 0, y: 0 }, { x: 20, y: 26 }, 0)
  expect(path).not.toContain('NaN')
  expect(path.endsWith(' L20,26')).toBe(true)
})
