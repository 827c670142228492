/** What a customer would see of a message, with example values in the places of variables. */
import type { Header, Message, MessageNode } from './document'
import type { Template } from './registry'

export type Values = Record<string, string>

const PLACE = /\{\{\s*([^{}\s][^{}]*)\}\}/g

export interface Shown {
  /** A picture, file or place that stands on top, in words. */
  medium: string | null
  header: string | null
  body: string
  footer: string | null
  buttons: string[]
  /** Buttons that WhatsApp handles itself: links, calls, codes. */
  links: string[]
  /** The label that opens a list. */
  menu: string | null
}

/** Variables without an example keep their braces. */
export function filled(text: string, values: Values): string {
  return text.replace(PLACE, (whole, name: string) => values[name.trim()] || whole)
}

/** The names in the places of a text, in order. */
export function variablesIn(text: string): string[] {
  return [...text.matchAll(PLACE)].map((match) => (match[1] ?? '').trim())
}

/** `template` is what WhatsApp has of the message's template, which goes before the document. */
export function shown(node: MessageNode, values: Values, template: Template | null = null): Shown {
  const { message } = node
  const header = 'header' in message ? message.header : null
  const own: Shown = {
    medium: mediumOf(message, header),
    header: headerText(header, values),
    body: bodyOf(message, values),
    footer: 'footer' in message && message.footer ? filled(message.footer, values) : null,
    buttons: (node.buttons ?? []).map((button) => filled(button.label, values)),
    links: linksOf(message, values),
    menu: message.type === 'list' ? filled(message.menu, values) : null,
  }
  if (message.type !== 'template' || !template) return own
  return {
    ...own,
    header: template.headerText
      ? templateBody(template.headerText, [own.header ?? ''], {})
      : own.header,
    body: templateBody(template.body, message.body ?? [], values) || own.body,
    footer: template.footer || null,
    links: template.buttons
      .filter(({ kind }) => kind !== 'quick_reply')
      .map(({ kind, label }) => label || (kind === 'copy_code' ? 'Copy code' : 'Button')),
  }
}

function linksOf(message: Message, values: Values): string[] {
  if (message.type === 'cta_url') return [filled(message.label, values)]
  if (message.type !== 'template') return []
  return [
    ...(message.url_buttons ?? []).map(() => 'Link'),
    ...(message.copy_code ? ['Copy code'] : []),
  ]
}

function bodyOf(message: Message, values: Values): string {
  switch (message.type) {
    case 'template':
      return templateBody(message.preview ?? '', message.body ?? [], values) || message.name
    case 'location':
      return [message.name, message.address].filter(Boolean).join('\n')
    case 'image':
    case 'video':
    case 'document':
    case 'audio':
      return filled(message.caption ?? '', values)
    default:
      return filled(message.body, values)
  }
}

/** The template's text with its parameters, `{{1}}` or `{{name}}`, in their places. */
export function templateBody(
  preview: string,
  body: string[] | Record<string, string>,
  values: Values,
): string {
  const own = Array.isArray(body)
    ? Object.fromEntries(body.map((text, i) => [String(i + 1), text]))
    : body
  const parameters = Object.entries(own).map(([key, text]) => [key, filled(text, values)])
  return filled(preview, Object.fromEntries(parameters))
}

function headerText(header: Header | null | undefined, values: Values): string | null {
  if (typeof header === 'string') return filled(header, values)
  return header?.type === 'text' ? filled(header.text, values) : null
}

const MEDIA: Record<string, string> = {
  image: 'Image',
  video: 'Video',
  document: 'Document',
  audio: 'Audio',
  location: 'Location',
}

function mediumOf(message: Message, header: Header | null | undefined): string | null {
  if (typeof header === 'object' && header) return MEDIA[header.type] ?? null
  return MEDIA[message.type] ?? null
}
