/** Every simulated customer's phone: read and acted on through `/_sim/…`. */
import { element, fillStatus, inShort, isSettled, ownBubble, theirBubble, time } from './bubble.js'

const POLL = 1000
const PAGE = 500
const LISTED = 200

const place = (id) => document.getElementById(id)
const digits = (text) => text.replace(/\D/g, '')

/** List items by customer; the newest line of each decides their order. */
const chats = new Map()
/** The open chat: its customer, its messages by WhatsApp's id, those whose status may change. */
let phone = null
/** The number of the newest change that was seen. */
let seen = 0
/** Milliseconds by which the simulator's clock is ahead of this one. */
let ahead = 0

const now = () => Date.now() + ahead

/** What reads lines does so one after the other, so that no chat misses or repeats any. */
let turn = Promise.resolve()
function inTurn(work) {
  const done = turn.then(work)
  turn = done.catch(() => {})
  return done
}

async function call(path, body) {
  const post = { method: 'POST', body: JSON.stringify(body) }
  const answer = await fetch(`_sim/${path}`, body ? post : undefined)
  const read = await answer.json()
  if (!answer.ok) throw new Error(read.error)
  if (read.now) ahead = Date.parse(read.now) - Date.now()
  return read
}

function tell(trouble) {
  place('trouble').textContent = trouble
  place('trouble').hidden = !trouble
}

async function act(path, body) {
  try {
    await call(path, body)
    tell('')
    await inTurn(follow)
  } catch (error) {
    tell(`That did not work: ${error.message}.`)
  }
}

// --- the list ------------------------------------------------------------------------------------

async function list() {
  const searched = place('search').value
  const found = await call(`chats?search=${encodeURIComponent(searched)}`)
  if (searched !== place('search').value) return
  chats.clear()
  place('chats').replaceChildren()
  for (const line of [...found.data].reverse()) put(line)
  place('no-chats').textContent = searched ? 'No such customer.' : 'No customer has a message yet.'
  place('no-chats').hidden = chats.size > 0
  seen ||= found.newest
}

/** Put a chat on top of the list, with its newest line. */
function put(line) {
  const { customer } = line
  if (!customer.includes(digits(place('search').value))) return
  const item = chats.get(customer) ?? element('li')
  const number = element('span', { className: 'number' }, customer)
  const last = element('span', { className: 'last' }, ...inShort(line))
  const link = item.firstChild ?? element('a', { href: `#${customer}` })
  link.replaceChildren(number, time(line.sent?.acceptedAt ?? line.said.at), last)
  if (phone?.customer === customer) link.setAttribute('aria-current', 'page')
  if (!item.firstChild) item.append(link)
  chats.delete(customer)
  chats.set(customer, item)
  if (place('chats').firstChild !== item) moveUp(item, link)
  place('no-chats').hidden = true
  if (chats.size > LISTED) drop(chats.keys().next().value)
}

/** To the top; an element that is moved loses the focus. */
function moveUp(item, link) {
  const focused = document.activeElement === link
  place('chats').prepend(item)
  if (focused) link.focus()
}

function drop(customer) {
  chats.get(customer).remove()
  chats.delete(customer)
}

// --- the phone -----------------------------------------------------------------------------------

async function openPhone() {
  const customer = decodeURIComponent(location.hash.slice(1))
  phone = customer ? { customer, messages: new Map(), moving: new Set(), newest: 0, day: '' } : null
  for (const item of chats.values()) item.firstChild.removeAttribute('aria-current')
  chats.get(customer)?.firstChild.setAttribute('aria-current', 'page')
  document.body.classList.toggle('open', phone !== null)
  place('phone').hidden = !phone
  place('none-open').hidden = phone !== null
  place('customer').textContent = customer
  place('sender').textContent = ''
  place('lines').replaceChildren()
  if (place('rows').open) place('rows').close()
  const opened = phone
  if (opened) await inTurn(() => fill(opened))
}

/** Read the whole chat, unless another one is opened meanwhile. */
async function fill(opened) {
  const asked = encodeURIComponent(opened.customer)
  for (let more = true; more; ) {
    const { data } = await call(`chat?customer=${asked}&after=${opened.newest}`)
    if (phone !== opened) return
    show(data)
    more = data.length === PAGE
  }
}

/** Show what the open chat does not have yet. */
function show(lines) {
  const chat = place('chat')
  const atEnd = chat.scrollHeight - chat.scrollTop - chat.clientHeight < 80
  for (const line of lines) {
    if (line.customer !== phone.customer || line.number <= phone.newest) continue
    phone.newest = line.number
    day(line.sent?.acceptedAt ?? line.said.at)
    place('lines').append(line.sent ? theirs(line) : own(line))
  }
  if (atEnd) chat.scrollTop = chat.scrollHeight
}

function theirs(line) {
  const { id, sender } = line.sent
  place('sender').textContent = `with ${sender}`
  const tap = (button) => act('click', { messageId: id, button })
  const bubble = theirBubble(line, now(), { tap, open: openRows })
  const message = { line, status: bubble.querySelector('.status') }
  phone.messages.set(id, message)
  phone.moving.add(message)
  return bubble
}

function own(line) {
  const answered = phone.messages.get(line.said.replyTo)
  if (!answered) return ownBubble(line)
  answered.line.tapped = true
  phone.moving.add(answered)
  return ownBubble(line, answered.line)
}

function day(at) {
  const shown = new Date(at).toLocaleDateString([], { dateStyle: 'medium' })
  if (shown === phone.day) return
  phone.day = shown
  place('lines').append(element('li', { className: 'day' }, shown))
}

function refreshStatuses() {
  for (const message of phone?.moving ?? []) {
    fillStatus(message.status, message.line, now())
    if (isSettled(message.line, now())) phone.moving.delete(message)
  }
}

/** The rows of a list message; the tapped one is sent. */
function openRows(line) {
  const { id, buttons, shown } = line.sent
  const byId = new Map(buttons.map((button) => [button.id, button]))
  place('rows-title').textContent = shown.menu
  place('rows-list').replaceChildren(
    ...shown.sections.flatMap(({ title, rows }) => [
      ...(title ? [element('h3', {}, title)] : []),
      ...rows.map((row) => rowButton(id, byId.get(row))),
    ]),
  )
  place('rows').showModal()
}

function rowButton(messageId, { id, label, description }) {
  const choose = () => {
    place('rows').close()
    act('click', { messageId, button: id })
  }
  const more = description ? element('small', {}, description) : null
  return element('button', { type: 'button', onclick: choose }, element('span', {}, label), more)
}

// --- following -----------------------------------------------------------------------------------

/** Take over whatever is new in any chat. */
async function follow() {
  for (let more = true; more; ) {
    const { data } = await call(`chat?after=${seen}`)
    for (const line of data) put(line)
    if (phone) show(data)
    seen = Math.max(seen, data.at(-1)?.number ?? 0)
    more = data.length === PAGE
  }
  refreshStatuses()
}

async function keepFollowing() {
  try {
    if (!document.hidden) await inTurn(seen ? follow : list)
    if (place('trouble').dataset.away) tell('')
    delete place('trouble').dataset.away
  } catch {
    place('trouble').dataset.away = 'true'
    tell('The simulator does not answer; this page goes on when it does.')
  }
  setTimeout(keepFollowing, POLL)
}

let typing
place('search').addEventListener('input', () => {
  clearTimeout(typing)
  typing = setTimeout(() => list().catch((error) => tell(error.message)), 200)
})
place('write').addEventListener('submit', (event) => {
  event.preventDefault()
  const text = place('text').value.trim()
  if (!text) return
  place('text').value = ''
  act('reply', { from: phone.customer, text })
})
addEventListener('hashchange', () => openPhone().catch((error) => tell(error.message)))

try {
  await list()
  await openPhone()
} catch (error) {
  tell(error.message)
}
keepFollowing()
