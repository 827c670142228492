import { expect, it } from 'vitest'
import { flow } from '../testing/flows'
import { names } from './document'
import { linksOf } from './graph'
import { addAfter, addBelow, addInto, addNear, placed } from './placing'

const feedback = flow('feedback')

it('puts a card below another, and after it only where nothing follows yet', () => {
  const [after, first] = addBelow(placed(feedback), 'thanks', 'message', 100)
  expect(linksOf(after)).toContainEqual({ source: 'thanks', handle: 'next', target: first })
  const [beside, second] = addBelow(placed(feedback), 'rate', 'message', 100)
  expect(linksOf(beside)).toEqual(linksOf(feedback))
  const above = placed(feedback).layout?.rate as { x: number; y: number }
  expect(beside.layout?.[second]).toMatchObject({ x: above.x, y: above.y + 170 })
})

it('puts no card where another begins', () => {
  const [one, first] = addNear(placed(feedback), 'delay', { x: 5000, y: 0 })
  const [both, second] = addNear(one, 'delay', { x: 5010, y: 10 })
  expect(both.layout?.[first]).toEqual({ x: 5000, y: 0 })
  expect(both.layout?.[second]).toEqual({ x: 5310, y: 10 })
})

it('leads a way on, or a link through, to the new card', () => {
  const [link] = linksOf(feedback)
  if (!link) throw new Error('the example has links')
  const [after, end] = addAfter(feedback, link, 'ask', { x: 0, y: 0 })
  expect(linksOf(after)).toContainEqual({ ...link, target: end })
  const [through, middle] = addInto(feedback, link, 'delay')
  expect(linksOf(through)).toContainEqual({ ...link, target: middle })
  expect(linksOf(through)).toContainEqual({ source: middle, handle: 'next', target: link.target })
})

it('keeps the cards where they are seen when one is added', () => {
  expect(Object.keys(placed(feedback).layout ?? {}).sort()).toEqual(names(feedback).sort())
})
