/** One line of a chat as an element. All texts are strangers' and go in as text, never as markup. */

const MEDIA = {
  image: 'Photo',
  video: 'Video',
  document: 'Document',
  audio: 'Audio',
  sticker: 'Sticker',
  location: 'Location',
}
const TICKS = { sent: '✓', delivered: '✓✓', read: '✓✓' }
const RANK = ['accepted', 'sent', 'delivered', 'read', 'failed']
// WhatsApp's own: a mark counts at the edges of a word only.
const MARKED = /(?<![\p{L}\d])(?:```(?<tt>[^`]+)```|([*_~])(?=\S)(?<text>[^\n]*?\S)\2)(?![\p{L}\d])/gu
const MARKS = { '*': 'strong', _: 'em', '~': 's' }

export function element(name, properties = {}, ...children) {
  const made = Object.assign(document.createElement(name), properties)
  made.append(...children.filter((child) => child !== null && child !== undefined))
  return made
}

/** A text with WhatsApp's *bold*, _italic_, ~struck~ and ```code```. */
export function formatted(text) {
  const parts = []
  let at = 0
  for (const found of text.matchAll(MARKED)) {
    parts.push(text.slice(at, found.index))
    const { tt, text: inner } = found.groups
    parts.push(tt ? element('code', {}, tt) : element(MARKS[found[2]], {}, ...formatted(inner)))
    at = found.index + found[0].length
  }
  return [...parts, text.slice(at)]
}

/** How far a message of the business is by `now`; `failed` with its code. */
function statusOf(line, now) {
  const told = line.sent.statuses.filter(({ at }) => Date.parse(at) <= now)
  const last = told.at(-1) ?? { status: 'accepted' }
  // Who taps a button holds the message.
  const late = line.tapped && RANK.indexOf(last.status) < RANK.indexOf('delivered')
  return late ? { status: 'delivered' } : last
}

/** Whether its status changes no more by itself. */
export function isSettled(line, now) {
  return line.sent.statuses.every(({ at }) => Date.parse(at) <= now)
}

export function fillStatus(place, line, now) {
  const { status, code } = statusOf(line, now)
  if (place.dataset.status === status) return
  place.dataset.status = status
  const words = status === 'failed' ? `failed (${code}), never received` : status
  const mark = status === 'failed' ? '⚠ ' : (TICKS[status] ?? '…')
  const shown = element('span', { ariaHidden: 'true' }, status === 'failed' ? mark + words : mark)
  place.replaceChildren(shown, element('span', { className: 'unseen' }, words))
}

/** A message of the business; `tap(button)` and `open(line)` are called when a person does so. */
export function theirBubble(line, now, { tap, open }) {
  const { sent } = line
  const { header, footer, menu, links = [] } = sent.shown
  const bubble = element('li', { className: 'bubble theirs' })
  bubble.dataset.id = sent.id
  const status = element('span', { className: 'status' })
  fillStatus(status, line, now)
  bubble.append(
    element('span', { className: 'unseen' }, 'The business: '),
    ...(header ? [surroundings(header)] : []),
    ...(sent.text ? [element('p', { className: 'text' }, ...formatted(sent.text))] : []),
    ...(footer ? [element('p', { className: 'footer' }, footer)] : []),
    element('p', { className: 'meta' }, time(sent.acceptedAt), ' ', status),
  )
  if (menu) bubble.append(action(`☰ ${menu}`, () => open(line)))
  else for (const { id, label } of sent.buttons) bubble.append(action(`↩ ${label}`, () => tap(id)))
  bubble.append(...links.map(link))
  return bubble
}

/** What the customer wrote or tapped; `quoted` is the message it answers, if any. */
export function ownBubble({ said }, quoted) {
  return element(
    'li',
    { className: 'bubble own' },
    element('span', { className: 'unseen' }, 'The customer: '),
    quoted ? element('p', { className: 'quote' }, ...inShort(quoted)) : null,
    element('p', { className: 'text' }, ...formatted(said.text)),
    element('p', { className: 'meta' }, time(said.at)),
  )
}

/** In one line, for the list of chats. */
export function inShort(line) {
  if (line.said) return formatted(`You: ${line.said.text}`)
  const { text, shown, type } = line.sent
  return formatted(text || MEDIA[shown.header?.type] || type)
}

function surroundings(header) {
  if (header.type === 'text') return element('p', { className: 'head' }, header.text)
  const called = [header.filename, header.name, header.address, header.link].find(Boolean)
  const place = header.latitude === undefined ? null : `${header.latitude}, ${header.longitude}`
  return element(
    'p',
    { className: `medium ${header.type}` },
    element('span', {}, MEDIA[header.type] ?? header.type),
    element('small', {}, called ?? place ?? ''),
  )
}

function action(label, act) {
  return element('button', { type: 'button', className: 'action', onclick: act }, label)
}

function link({ label, url }) {
  // Only what a phone would open; anything else is shown and leads nowhere.
  const opens = URL.canParse(url ?? '') && ['http:', 'https:', 'tel:'].includes(new URL(url).protocol)
  if (!opens) return element('p', { className: 'action' }, label)
  const target = { href: url, target: '_blank', rel: 'noopener noreferrer', title: url }
  return element('a', { className: 'action', ...target }, `↗ ${label}`)
}

export function time(at) {
  const made = new Date(at)
  const shown = made.toLocaleTimeString([], { hour: '2-digit', minute: '2-digit' })
  return element('time', { dateTime: at, title: made.toLocaleString() }, shown)
}
