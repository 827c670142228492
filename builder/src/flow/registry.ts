/** Templates as WhatsApp has them, and what a message takes over of one. Pure. */
import type { TemplateGroups } from '../api/types'
import { type Button, freeName, type MessageNode, type TemplateMessage } from './document'
import { variablesIn } from './rendering'

export interface TemplateButton {
  kind: 'quick_reply' | 'url' | 'copy_code' | 'other'
  label: string
  /** Whether the link ends in a variable. */
  open: boolean
}

export interface Template {
  name: string
  language: string
  category: TemplateMessage['category']
  /** WhatsApp's word, such as APPROVED or PAUSED. */
  status: string
  header: 'none' | 'text' | 'image' | 'video' | 'document' | 'location'
  headerText: string
  body: string
  /** The body's parameters: `1`, `2`, … or names. */
  parameters: string[]
  footer: string
  /** All buttons in the template's order. */
  buttons: TemplateButton[]
}

type Component = Record<string, unknown>

/** Every template once, by name and language; the same one in a second account is left out. */
export function readTemplates(listed: TemplateGroups): Template[] {
  const known = new Map<string, Template>()
  for (const { templates } of listed.templateGroups) {
    for (const { externalTemplate } of templates) {
      const read = template(externalTemplate.whatsapp)
      const key = `${read.name} ${read.language}`
      if (!known.has(key)) known.set(key, read)
    }
  }
  return [...known.values()].sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0))
}

interface Told {
  name: string
  language: string
  category: string
  status: string
  components: Component[]
}

function template({ name, language, category, status, components }: Told): Template {
  const part = (type: string) =>
    components.find((component) => String(component.type).toUpperCase() === type)
  const header = part('HEADER')
  const body = text(part('BODY')?.text)
  const buttons = part('BUTTONS')?.buttons
  return {
    name,
    language,
    category: categoryOf(category),
    status: status.toUpperCase(),
    header: headerKind(header),
    headerText: text(header?.text),
    body,
    parameters: [...new Set(variablesIn(body))],
    footer: text(part('FOOTER')?.text),
    buttons: Array.isArray(buttons) ? (buttons as Component[]).map(button) : [],
  }
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : ''
}

function categoryOf(word: string): TemplateMessage['category'] {
  const known = word.toLowerCase()
  return known === 'utility' || known === 'authentication' ? known : 'marketing'
}

function headerKind(header: Component | undefined): Template['header'] {
  if (!header) return 'none'
  const format = (text(header.format) || 'TEXT').toLowerCase()
  const kinds = ['text', 'image', 'video', 'document', 'location'] as const
  return kinds.find((kind) => kind === format) ?? 'none'
}

function button(given: Component): TemplateButton {
  const kinds = { QUICK_REPLY: 'quick_reply', URL: 'url', COPY_CODE: 'copy_code' } as const
  const kind = kinds[text(given.type).toUpperCase() as keyof typeof kinds] ?? 'other'
  return { kind, label: text(given.text), open: text(given.url).includes('{{') }
}

/** The message as this template: its text, parameters and buttons, with what was filled in before. */
export function withTemplate(node: MessageNode, chosen: Template): MessageNode {
  const before = node.message.type === 'template' ? node.message : null
  const message: TemplateMessage = {
    type: 'template',
    name: chosen.name,
    language: chosen.language,
    category: chosen.category,
    ...headerFor(chosen, before),
    ...bodyFor(chosen, before),
    ...ownButtons(chosen, before),
    ...(chosen.body ? { preview: chosen.body } : {}),
  }
  const { buttons: _, ...rest } = node
  const replies = quickReplies(chosen, node.buttons ?? [])
  return { ...rest, message, ...(replies.length ? { buttons: replies } : {}) }
}

function headerFor(chosen: Template, before: TemplateMessage | null): Partial<TemplateMessage> {
  const old = typeof before?.header === 'object' ? before.header : null
  if (chosen.header === 'none') return {}
  if (old?.type === chosen.header) return { header: old }
  if (chosen.header === 'location') {
    return { header: { type: 'location', latitude: '0', longitude: '0' } }
  }
  if (chosen.header !== 'text') return { header: { type: chosen.header, link: 'https://' } }
  const given = typeof before?.header === 'string' ? before.header : ''
  // A header without a variable is the template's own and takes nothing.
  return variablesIn(chosen.headerText).length ? { header: { type: 'text', text: given } } : {}
}

function bodyFor(chosen: Template, before: TemplateMessage | null): Partial<TemplateMessage> {
  const old = before?.body ?? []
  const given = (name: string) =>
    Array.isArray(old) ? (old[Number(name) - 1] ?? '') : (old[name] ?? '')
  if (chosen.parameters.length === 0) return {}
  if (chosen.parameters.every((name) => /^\d+$/.test(name))) {
    const most = Math.max(...chosen.parameters.map(Number))
    return { body: Array.from({ length: most }, (_, i) => given(String(i + 1))) }
  }
  return { body: Object.fromEntries(chosen.parameters.map((name) => [name, given(name)])) }
}

/** The variable parts of buttons that WhatsApp handles itself. */
function ownButtons(chosen: Template, before: TemplateMessage | null): Partial<TemplateMessage> {
  const urls = chosen.buttons.flatMap(({ kind, open }, index) => {
    const old = before?.url_buttons?.find((url) => url.index === index)
    return kind === 'url' && open ? [{ index, text: old?.text ?? '' }] : []
  })
  const index = chosen.buttons.findIndex(({ kind }) => kind === 'copy_code')
  const code = before?.copy_code?.code ?? ''
  return {
    ...(urls.length ? { url_buttons: urls } : {}),
    ...(index >= 0 ? { copy_code: { index, code } } : {}),
  }
}

/** Quick replies keep the ids and ways on of those that stood in their places. */
function quickReplies(chosen: Template, before: Button[]): Button[] {
  const mixed = chosen.buttons.some(({ kind }) => kind !== 'quick_reply')
  const made: Button[] = []
  for (const [index, { kind, label }] of chosen.buttons.entries()) {
    if (kind !== 'quick_reply') continue
    const { index: _, ...old } = before[made.length] ?? { id: '', label }
    const taken = [...before, ...made].map((one) => one.id)
    const id = old.id || freeName(`button_${made.length + 1}`, taken)
    made.push({ ...old, id, label, ...(mixed ? { index } : {}) })
  }
  return made
}

/** The place that another button of a template gets, counted from 0 among all kinds. */
export function nextPlace(node: MessageNode): number {
  const { message } = node
  const places = (node.buttons ?? []).map(({ index }, i) => index ?? i)
  if (message.type === 'template') {
    places.push(...(message.url_buttons ?? []).map(({ index }) => index))
    if (message.copy_code) places.push(message.copy_code.index)
  }
  return Math.max(-1, ...places) + 1
}
