/** Names that people read on cards and in lists. */
import type { MessageNode, Node, NodeType } from './document'
import { inWords } from './durations'

export const CARD_KINDS: Record<NodeType, string> = {
  message: 'Message',
  delay: 'Time delay',
  branch: 'Branch',
  split: 'Split',
  ask: 'Ask',
}

export const MESSAGE_KINDS: readonly (readonly [MessageNode['message']['type'], string])[] = [
  ['template', 'Template'],
  ['text', 'Text'],
  ['buttons', 'Reply buttons'],
  ['list', 'List'],
  ['cta_url', 'Link button'],
  ['image', 'Image'],
  ['video', 'Video'],
  ['document', 'Document'],
  ['audio', 'Audio'],
  ['location', 'Location'],
]

export const CONDITIONS = [
  ['no_click', 'nothing was tapped'],
  ['no_response', 'nothing was tapped or written'],
  ['all', 'the message was received'],
] as const

export function kindOf(node: Node): string {
  if (node.type !== 'message') return CARD_KINDS[node.type]
  return MESSAGE_KINDS.find(([type]) => type === node.message.type)?.[1] ?? 'Message'
}

/** What a card without a message says of itself. */
export function summaryOf(node: Exclude<Node, MessageNode>): string {
  switch (node.type) {
    case 'delay': {
      const then = CONDITIONS.find(([condition]) => condition === node.condition)?.[1] ?? ''
      return `Wait ${inWords(node.duration)}, go on if ${then}`
    }
    case 'branch':
      return 'The first that holds:'
    case 'split':
      return 'By chance:'
    case 'ask':
      return `Keep the next text as {{${node.variable}}}, for ${inWords(node.timeout)}`
  }
}
