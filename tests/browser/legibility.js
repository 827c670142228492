// Texts that cannot be read: cut off, over one another, sticking out of their box, or words that
// are broken where they would fit. Answers words.
(() => {
  const SLACK = 3
  const FRAMES = 'button, .button, .tag, .badge, td, th, .card, .sheet, .notice, .bubble, dialog, .field'
  const rectOf = ({ left, top, right, bottom }) => ({ left, top, right, bottom })
  const meet = (a, b) => ({
    left: Math.max(a.left, b.left),
    top: Math.max(a.top, b.top),
    right: Math.min(a.right, b.right),
    bottom: Math.min(a.bottom, b.bottom),
  })
  const isSome = (r, least) => r.right - r.left > least && r.bottom - r.top > least
  const opaque = (element) => {
    const color = getComputedStyle(element).backgroundColor
    const alpha = /^rgba\(.*, ([\d.]+)\)$/.exec(color)
    return color !== 'transparent' && (!alpha || Number(alpha[1]) > 0.9)
  }
  const name = (text) => JSON.stringify(text.node.data.trim().slice(0, 40))

  const found = []
  const texts = []
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT)
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    const parent = node.parentElement
    if (!node.data.trim() || parent.closest('.unseen, option, script, noscript, title, [hidden]')) continue
    if (!parent.checkVisibility({ visibilityProperty: true, opacityProperty: true })) continue
    const range = document.createRange()
    range.selectNodeContents(node)
    for (const box of range.getClientRects()) {
      if (isSome(box, 1)) texts.push({ node, parent, whole: rectOf(box) })
    }
    for (const word of node.data.matchAll(/\p{L}{2,12}/gu)) {
      range.setStart(node, word.index)
      range.setEnd(node, word.index + word[0].length)
      const isPart = /[^\s]/.test(node.data[word.index - 1] ?? ' ') || /[^\s.,:;?!]/.test(node.data[word.index + word[0].length] ?? ' ')
      // Where a line is cut with an ellipsis, a word has two boxes on one line.
      const lines = new Set([...range.getClientRects()].map((box) => Math.round(box.top)))
      if (!isPart && lines.size > 1) found.push(`broken: ${word[0]}`)
    }
  }

  // What each ancestor that clips leaves of a text; whoever clips on purpose says so.
  for (const text of texts) {
    text.seen = meet(text.whole, { left: 0, top: 0, right: innerWidth, bottom: innerHeight })
    for (let at = text.parent; at && at !== document.body; at = at.parentElement) {
      const style = getComputedStyle(at)
      if (style.overflowX === 'visible' && style.overflowY === 'visible') continue
      const box = at.getBoundingClientRect()
      const cut = text.whole.right - box.right > SLACK || box.left - text.whole.left > SLACK
      const meant = style.textOverflow === 'ellipsis' || style.webkitLineClamp !== 'none'
      // The canvas is moved to see what lies beyond it; within a card nothing may be lost.
      const canvas = text.parent.closest('.react-flow')
      const moves = canvas && (at.contains(canvas) || !at.closest('.react-flow__node'))
      const scrolls = /auto|scroll/.test(style.overflowX) || moves
      if (cut && !meant && !scrolls) found.push(`cut off: ${name(text)}`)
      text.seen = meet(text.seen, rectOf(box))
      text.meant ||= meant
    }
    const frame = text.parent.closest(FRAMES)
    const box = frame?.getBoundingClientRect()
    if (box && !text.meant && (text.whole.right - box.right > SLACK || text.whole.bottom - box.bottom > SLACK))
      found.push(`sticks out of its ${frame.tagName.toLowerCase()} ${frame.className}: ${name(text)}`)
  }

  // Both of two texts are seen at a place where nothing opaque lies between them and the reader.
  const isSeenAt = (text, stack) => {
    const place = stack.indexOf(text.parent)
    return place >= 0 && !stack.slice(0, place).some((over) => opaque(over) && !over.contains(text.parent))
  }
  for (const [i, a] of texts.entries()) {
    for (const b of texts.slice(0, i)) {
      if (a.parent === b.parent) continue
      const both = meet(a.seen, b.seen)
      if (!isSome(both, SLACK)) continue
      const stack = document.elementsFromPoint((both.left + both.right) / 2, (both.top + both.bottom) / 2)
      if (isSeenAt(a, stack) && isSeenAt(b, stack)) found.push(`over one another: ${name(a)} and ${name(b)}`)
    }
  }
  return [...new Set(found)]
})()
