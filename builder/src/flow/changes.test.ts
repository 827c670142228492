import { expect, it } from 'vitest'
import { FLOWS, flow } from '../testing/flows'
import { changesBetween } from './changes'
import { moveCards, removeCards } from './edits'

it.each(FLOWS)('finds none between %s and itself, wherever its cards stand', (_, document) => {
  const moved = moveCards(document, { [document.start]: { x: 7, y: 7 } })
  expect(changesBetween(document, moved)).toEqual([])
})

it('names cards that were added, removed or changed, and where', () => {
  const before = flow('documented')
  const after = removeCards(flow('documented'), ['nudge'])
  after.nodes.new = { type: 'delay', duration: 'PT1H', condition: 'all' }
  after.variables = { customername: { required: true } }
  after.expireAfter = 'PT2H'
  expect(changesBetween(before, after)).toEqual([
    { kind: 'changed', what: 'wait', where: ['next'] },
    { kind: 'added', what: 'new', where: [] },
    { kind: 'removed', what: 'nudge', where: [] },
    { kind: 'removed', what: 'variable product', where: [] },
    { kind: 'changed', what: 'latest sending', where: [] },
  ])
})

it('takes null for absent', () => {
  const after = flow('documented')
  after.window = null
  expect(changesBetween(flow('documented'), after)).toEqual([])
})
