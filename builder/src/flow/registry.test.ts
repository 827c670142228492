import { describe, expect, it } from 'vitest'
import type { TemplateGroups } from '../api/types'
import { flow } from '../testing/flows'
import type { MessageNode } from './document'
import { nextPlace, readTemplates, type Template, withTemplate } from './registry'
import { shown } from './rendering'

const COMPONENTS = [
  { type: 'HEADER', format: 'TEXT', text: 'For {{1}}' },
  { type: 'BODY', text: 'Hi {{1}}, {{2}} is 20% off. Yours, {{1}}.' },
  { type: 'FOOTER', text: 'Spring' },
  {
    type: 'BUTTONS',
    buttons: [
      { type: 'URL', text: 'Shop', url: 'https://shop.example/{{1}}' },
      { type: 'QUICK_REPLY', text: 'More' },
      { type: 'COPY_CODE', example: 'SAVE' },
      { type: 'QUICK_REPLY', text: 'Stop' },
    ],
  },
]

function listed(...told: { name?: string; components?: object[] }[]): TemplateGroups {
  const whatsapp = { language: 'en_US', status: 'approved', category: 'UTILITY' }
  const templates = told.map(({ name = 'spring', components = COMPONENTS }) => ({
    externalTemplate: { whatsapp: { ...whatsapp, name, components } },
  }))
  return { templateGroups: [{ templates }] } as unknown as TemplateGroups
}

function only(components?: object[]): Template {
  const [template] = readTemplates(listed(components ? { components } : {}))
  if (!template) throw new Error('no template')
  return template
}

function message(document: string, name: string): MessageNode {
  const node = flow(document).nodes[name]
  if (node?.type !== 'message') throw new Error('no message')
  return node
}

it('reads templates once each, in the order of their names', () => {
  const read = readTemplates(listed({ name: 'b' }, { name: 'a' }, { name: 'b' }))
  expect(read.map(({ name }) => name)).toEqual(['a', 'b'])
  expect(read[0]).toMatchObject({
    status: 'APPROVED',
    category: 'utility',
    parameters: ['1', '2'],
    footer: 'Spring',
  })
})

describe('a message that takes over a template', () => {
  it('keeps what was filled in, and its buttons with where they lead', () => {
    const taken = withTemplate(message('documented', 'welcome'), only())
    expect(taken).toMatchObject({ type: 'message', next: 'wait' })
    expect(taken.message).toEqual({
      type: 'template',
      name: 'spring',
      language: 'en_US',
      category: 'utility',
      header: { type: 'text', text: '' },
      body: ['{{customername}}', '{{product}}'],
      url_buttons: [{ index: 0, text: '' }],
      copy_code: { index: 2, code: '' },
      preview: 'Hi {{1}}, {{2}} is 20% off. Yours, {{1}}.',
    })
    expect(taken.buttons).toEqual([
      { id: 'yes', label: 'More', next: 'offer', index: 1 },
      { id: 'no', label: 'Stop', index: 3 },
    ])
    expect(withTemplate(taken, only())).toEqual(taken)
  })

  it('drops what the template has no place for', () => {
    const taken = withTemplate(
      message('documented', 'welcome'),
      only([{ type: 'BODY', text: 'Hi' }]),
    )
    expect(taken).not.toHaveProperty('buttons')
    expect(taken.message).not.toHaveProperty('body')
    expect(taken.message).not.toHaveProperty('header')
  })

  it('names parameters as the template does', () => {
    const named = only([{ type: 'BODY', text: 'Hi {{first}}' }])
    const taken = withTemplate(message('documented', 'welcome'), named)
    expect(taken.message).toMatchObject({ body: { first: '' } })
  })
})

it('gives another button the place after all others', () => {
  expect(nextPlace(withTemplate(message('documented', 'welcome'), only()))).toBe(4)
  expect(nextPlace({ type: 'message', message: { type: 'text', body: '' } })).toBe(0)
})

it('shows the approved text, not the one that the document remembers', () => {
  const taken = withTemplate(message('documented', 'welcome'), only())
  if (taken.message.type !== 'template') throw new Error('no template')
  taken.message.header = { type: 'text', text: '{{customername}}' }
  taken.message.preview = 'old'
  expect(shown(taken, { customername: 'Ada', product: 'tea' }, only())).toEqual({
    medium: null,
    header: 'For Ada',
    body: 'Hi Ada, tea is 20% off. Yours, Ada.',
    footer: 'Spring',
    buttons: ['More', 'Stop'],
    links: ['Shop', 'Copy code'],
    menu: null,
  })
})
