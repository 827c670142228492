import { describe, expect, it } from 'vitest'
import { FLOWS, flow } from '../testing/flows'
import { emptyFlow, names } from './document'
import {
  addCard,
  copyCards,
  insertCard,
  newNode,
  pasteCards,
  removeCards,
  renameCard,
} from './edits'
import { linksOf } from './graph'

describe.each(FLOWS)('%s', (_, document) => {
  it('survives every card getting another name and its own back', () => {
    for (const name of names(document)) {
      const renamed = renameCard(document, name, 'another name')
      expect(names(renamed)).toHaveLength(names(document).length)
      expect(JSON.stringify(renamed)).not.toContain(`"${name}":{"type":`)
      const back = renameCard(renamed, 'another name', name)
      expect(back).toEqual({ ...document, layout: document.layout ?? {} })
      expect(names(back)).toEqual(names(document))
    }
  })

  it('keeps all links among cards that are copied together', () => {
    const [pasted, added] = pasteCards(document, copyCards(document, names(document)), {
      x: 9,
      y: 9,
    })
    expect(added).toHaveLength(names(document).length)
    expect(linksOf(pasted)).toHaveLength(2 * linksOf(document).length)
    expect(pasted.start).toBe(document.start)
  })

  it('is empty when all cards are removed', () => {
    const left = removeCards(document, names(document))
    expect(left).toMatchObject({ start: '', nodes: {}, layout: {} })
  })
})

it('makes the first card the start', () => {
  const [added, name] = addCard(emptyFlow(), newNode('message'), { x: 1.4, y: 2.6 })
  expect(added.start).toBe(name)
  expect(added.layout).toEqual({ [name]: { x: 1, y: 3 } })
})

it('puts a card between the two ends of a link', () => {
  const link = { source: 'welcome', handle: 'button:yes', target: 'offer' }
  const [added, name] = insertCard(flow('documented'), link, newNode('delay'), { x: 0, y: 0 })
  expect(name).toBe('wait_2')
  expect(linksOf(added)).toContainEqual({ ...link, target: name })
  expect(linksOf(added)).toContainEqual({ source: name, handle: 'next', target: 'offer' })
})

it('puts a branch or a split into a link by its first way on', () => {
  const link = { source: 'wait', handle: 'next', target: 'nudge' }
  const [added, name] = insertCard(flow('documented'), link, newNode('split'), { x: 0, y: 0 })
  expect(linksOf(added)).toContainEqual({ source: name, handle: 'path:0', target: 'nudge' })
})

it('removes a card with the links to it, and finds another start', () => {
  const left = removeCards(flow('documented'), ['welcome'])
  expect(left.start).toBe('wait')
  const without = removeCards(flow('documented'), ['offer', 'nudge'])
  expect(linksOf(without)).toEqual([{ source: 'welcome', handle: 'next', target: 'wait' }])
  expect(JSON.stringify(without)).not.toContain('offer"')
})

it('drops links to cards that were not copied', () => {
  const [pasted, added] = pasteCards(
    flow('documented'),
    copyCards(flow('documented'), ['welcome']),
    { x: 40, y: 40 },
  )
  expect(added).toEqual(['welcome_2'])
  expect(linksOf(pasted)).toEqual(linksOf(flow('documented')))
  expect(pasted.layout?.welcome_2).toEqual({ x: 40, y: 40 })
})

it('renames to nothing that is taken', () => {
  const before = flow('documented')
  expect(renameCard(before, 'wait', 'nudge')).toBe(before)
})
