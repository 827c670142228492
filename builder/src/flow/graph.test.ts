import { describe, expect, it } from 'vitest'
import { FLOWS, flow } from '../testing/flows'
import type { Flow } from './document'
import { connect, exitsOf, linksOf, withExit } from './graph'

function unlinked(document: Flow): Flow {
  return linksOf(document).reduce(
    (f, { source, handle }) => connect(f, source, handle, null),
    document,
  )
}

describe.each(FLOWS)('%s', (_, document) => {
  it('is the same document after all its links were taken away and drawn again', () => {
    const links = linksOf(document)
    const bare = unlinked(document)
    expect(linksOf(bare)).toEqual([])
    const again = links.reduce((f, l) => connect(f, l.source, l.handle, l.target), bare)
    expect(again).toEqual(document)
  })

  it('has a link for every target that its JSON names', () => {
    const targets = [...JSON.stringify(document.nodes).matchAll(/"(next|otherwise|on_timeout)":"/g)]
    expect(linksOf(document)).toHaveLength(targets.length)
  })

  it('gives every way on of a card its own handle', () => {
    for (const node of Object.values(document.nodes)) {
      const handles = exitsOf(node).map((exit) => exit.handle)
      expect(new Set(handles).size).toBe(handles.length)
    }
  })
})

describe('connecting', () => {
  it('replaces the target a button had', () => {
    const changed = connect(flow('documented'), 'welcome', 'button:yes', 'nudge')
    expect(linksOf(changed)).toContainEqual({
      source: 'welcome',
      handle: 'button:yes',
      target: 'nudge',
    })
    expect(linksOf(changed)).toHaveLength(linksOf(flow('documented')).length)
  })

  it('leaves the flow alone for a card, a target or a handle that is not there', () => {
    const before = flow('documented')
    expect(connect(before, 'nobody', 'next', 'nudge')).toBe(before)
    expect(connect(before, 'welcome', 'next', 'nobody')).toBe(before)
    expect(connect(before, 'welcome', 'on_timeout', 'nudge')).toEqual(before)
  })

  it('reaches buttons whose ids hold a colon', () => {
    const node = {
      type: 'message',
      message: { type: 'buttons', body: 'x' },
      buttons: [{ id: 'a:b', label: 'x' }],
    } as const
    const changed = withExit({ ...node, buttons: [...node.buttons] }, 'button:a:b', 't')
    expect(exitsOf(changed)[0]).toMatchObject({ handle: 'button:a:b', target: 't' })
  })

  it('draws no link to a card that does not exist', () => {
    const before = flow('documented')
    before.nodes.wait = { type: 'delay', duration: 'PT1H', condition: 'all', next: 'gone' }
    expect(linksOf(before).some((link) => link.source === 'wait')).toBe(false)
  })
})
