import { describe, expect, it } from 'vitest'
import { FLOWS, flow } from '../testing/flows'
import { names } from './document'
import { duration, inWords, LONGEST_DELAY, partsOf, seconds } from './durations'
import { begin, change, redo, undo } from './history'
import { cardOf, issuesAt } from './issues'
import { arranged, guessedSize, placesOf } from './layout'
import { leastLength } from './limits'
import { filled, shown, templateBody } from './rendering'

describe('durations', () => {
  it.each([
    ['PT20H', LONGEST_DELAY],
    ['P1DT30M', 88_200],
    ['P1W', 604_800],
    ['PT1.5S', 1.5],
  ])('reads %s', (text, expected) => expect(seconds(text)).toBe(expected))

  it.each(['', 'P', 'PT', '20H', 'PT20', 'P1DT'])('refuses %s', (text) =>
    expect(seconds(text)).toBeNull(),
  )

  it('writes what it reads', () => {
    for (const text of ['PT20H', 'PT1H30M', 'PT5S', 'PT0S'])
      expect(duration(partsOf(text))).toBe(text)
    expect(duration(partsOf('P1DT30M'))).toBe('PT24H30M')
    expect(inWords('PT1H30M')).toBe('1 h 30 min')
  })
})

describe('history', () => {
  it('takes changes of one thing back together, and forgets what was undone at the next change', () => {
    let h = change(change(change(begin('a'), 'b', 'body'), 'c', 'body'), 'd')
    expect(h.past).toEqual(['a', 'c'])
    h = undo(h)
    expect(h.present).toBe('c')
    expect(redo(h).present).toBe('d')
    expect(redo(change(h, 'e')).present).toBe('e')
    expect(undo(undo(undo(h))).present).toBe('a')
  })

  it('begins a new step for the same thing after an undo', () => {
    const h = change(undo(change(begin('a'), 'b', 'body')), 'c', 'body')
    expect(h.past).toEqual(['a'])
  })
})

describe('issues', () => {
  it('belong to the card with the longest fitting name', () => {
    const document = flow('documented')
    document.nodes['wait.next'] = { type: 'delay', duration: 'PT1H', condition: 'all' }
    expect(cardOf(document, 'nodes.wait.duration')).toBe('wait')
    expect(cardOf(document, 'nodes.wait.next')).toBe('wait.next')
    expect(cardOf(document, 'nodes.waiting')).toBeNull()
    expect(cardOf(document, 'start')).toBeNull()
  })

  it('are found by field, deeper paths included', () => {
    const issue = {
      severity: 'error',
      code: 'X',
      path: 'nodes.a.buttons.0.label',
      message: '',
    } as const
    expect(issuesAt([issue], 'a', 'buttons.0')).toEqual([issue])
    expect(issuesAt([issue], 'a', 'button')).toEqual([])
  })
})

describe.each(FLOWS)('layout of %s', (_, document) => {
  it('lays no card over another when it is arranged', () => {
    const places = arranged(document, {})
    for (const a of names(document)) {
      for (const b of names(document).filter((name) => name !== a)) {
        const [p, q] = [places[a], places[b]]
        if (!p || !q) throw new Error('a card without a place')
        const [s, t] = [guessedSize(document, a), guessedSize(document, b)]
        const apart =
          p.x + s.width <= q.x ||
          q.x + t.width <= p.x ||
          p.y + s.height <= q.y ||
          q.y + t.height <= p.y
        expect(apart, `${a} and ${b}`).toBe(true)
      }
    }
  })
})

it('keeps the places of a flow that places every card, and arranges any other', () => {
  expect(placesOf(flow('spring_sale'))).toEqual(flow('spring_sale').layout)
  expect(Object.keys(placesOf(flow('quiz')))).toEqual(names(flow('quiz')))
})

describe('limits', () => {
  it('counts characters as people do, and placeholders as nothing', () => {
    expect(leastLength('Hi {{name}} 👋')).toBe(5)
    expect(leastLength('{{ }} {{')).toBe(8)
  })
})

describe('rendering', () => {
  it('fills in examples and leaves the other places as they are', () => {
    expect(filled('{{a}} and {{ b }}', { a: 'x' })).toBe('x and {{ b }}')
  })

  it('puts parameters into templates by place or by name', () => {
    expect(templateBody('{{1}}, {{2}}!', ['{{a}}', 'b'], { a: 'x' })).toBe('x, b!')
    expect(templateBody('{{n}}!', { n: '{{a}}' }, { a: 'x' })).toBe('x!')
  })

  it('does not fill a second time what a value brought in', () => {
    expect(filled('{{a}}', { a: '{{b}}', b: 'x' })).toBe('{{b}}')
  })

  it('shows the header, the text and the buttons of a message', () => {
    const welcome = flow('documented').nodes.welcome
    if (welcome?.type !== 'message') throw new Error('no message')
    expect(shown(welcome, { customername: 'Ada', product: 'tea' })).toMatchObject({
      medium: 'Image',
      body: 'Hi Ada, tea is 20% off today.',
      buttons: ['Tell me more', 'Not now'],
    })
  })
})
