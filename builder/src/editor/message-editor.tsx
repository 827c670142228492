import type { Button, Message, MessageNode, MessageType } from '../flow/document'
import { newMessage } from '../flow/edits'
import { issuesAt } from '../flow/issues'
import { LIMITS } from '../flow/limits'
import { shown, type Values } from '../flow/rendering'
import { MESSAGE_KINDS } from '../flow/words'
import { SelectField, TextField } from '../ui/field'
import { ButtonsEditor } from './buttons-editor'
import type { CardEditorProps } from './card-panel'
import { HeaderEditor } from './header-editor'
import { LocationFields, MediaFields } from './media-fields'
import { Bubble, Phone } from './phone'
import { TemplateEditor } from './template-editor'
import { useTemplate } from './templates'

export interface MessageFieldsProps<T> {
  message: T
  change: (message: T, about: string) => void
  /** What the API says about a field of the message, such as `body`. */
  said: (field: string) => string | null
}

export function MessageEditor({
  name,
  node,
  issues,
  change,
  targets,
  examples,
}: CardEditorProps<MessageNode> & { examples: Values }) {
  const { message } = node
  const said = (field: string) => issuesAt(issues, name, `message.${field}`)[0]?.message ?? null
  const put = (changed: Message, about: string) => change({ ...node, message: changed }, about)
  const fields = { change: put, said }
  const template = useTemplate(node)

  return (
    <>
      <Phone label="Preview">
        <Bubble message={shown(node, examples, template)} />
      </Phone>
      <SelectField
        label="Kind of message"
        value={message.type}
        options={MESSAGE_KINDS}
        onChange={(type) => change(retyped(node, type))}
        hint={
          message.type === 'template'
            ? undefined
            : 'Free-form: it can only follow a tap or a reply within 24 hours.'
        }
      />
      {message.type === 'template' && (
        <TemplateEditor
          {...fields}
          message={message}
          node={node}
          choose={(chosen) => change(chosen)}
        />
      )}
      {(message.type === 'buttons' || message.type === 'list' || message.type === 'cta_url') && (
        <HeaderEditor
          header={message.header}
          kinds={message.type === 'list' ? ['text'] : ['text', 'image', 'video', 'document']}
          change={(header) => put(withHeader(message, header), 'message.header')}
          said={said}
        />
      )}
      {'body' in message && message.type !== 'template' && (
        <TextField
          label="Text"
          rows={5}
          value={message.body}
          most={message.type === 'text' ? LIMITS.longestText : LIMITS.longestInteractiveBody}
          fills
          problem={said('body')}
          onChange={(body) => put({ ...message, body }, 'message.body')}
        />
      )}
      {message.type === 'cta_url' && (
        <>
          <TextField
            label="Button label"
            value={message.label}
            most={LIMITS.longestCtaLabel}
            problem={said('label')}
            onChange={(label) => put({ ...message, label }, 'message.label')}
          />
          <TextField
            label="Address it opens"
            value={message.url}
            most={LIMITS.longestUrl}
            fills
            problem={said('url')}
            onChange={(url) => put({ ...message, url }, 'message.url')}
          />
        </>
      )}
      {message.type === 'list' && (
        <TextField
          label="Label that opens the list"
          value={message.menu}
          most={LIMITS.longestListMenu}
          problem={said('menu')}
          onChange={(menu) => put({ ...message, menu }, 'message.menu')}
        />
      )}
      {'footer' in message || ['buttons', 'list', 'cta_url'].includes(message.type) ? (
        <TextField
          label="Footer (optional)"
          value={('footer' in message && message.footer) || ''}
          most={LIMITS.longestFooter}
          fills
          problem={said('footer')}
          onChange={(footer) => put(withFooter(message, footer), 'message.footer')}
        />
      ) : null}
      {isMedia(message) && <MediaFields {...fields} message={message} />}
      {message.type === 'location' && <LocationFields {...fields} message={message} />}
      {takesButtons(message.type) && <ButtonsEditor {...{ name, node, issues, change, targets }} />}
    </>
  )
}

function isMedia(message: Message): message is Extract<Message, { caption?: unknown }> {
  return ['image', 'video', 'document', 'audio'].includes(message.type)
}

function takesButtons(type: MessageType): boolean {
  return type === 'template' || type === 'buttons' || type === 'list'
}

/** The same text as another kind of message; buttons stay where that kind has some. */
function retyped(node: MessageNode, type: MessageType): MessageNode {
  const { message } = node
  const text =
    message.type === 'template' ? message.preview : 'body' in message ? message.body : undefined
  const made = newMessage(type)
  const carried: Message =
    made.type === 'template'
      ? { ...made, preview: text || made.preview }
      : 'body' in made && typeof text === 'string'
        ? { ...made, body: text }
        : made
  if (takesButtons(type))
    return { ...node, message: carried, buttons: buttonsFor(type, node.buttons) }
  const { buttons: _, ...rest } = node
  return { ...rest, message: carried }
}

/** Rows have descriptions and sections, template buttons places; others have neither. */
function buttonsFor(type: MessageType, buttons: Button[] = []): Button[] {
  const kept = buttons.map(({ description, section, index, ...button }) => ({
    ...button,
    ...(type === 'list' && description != null ? { description } : {}),
    ...(type === 'list' && section != null ? { section } : {}),
    ...(type === 'template' && index != null ? { index } : {}),
  }))
  return kept.length || type === 'template' ? kept : [{ id: 'yes', label: 'Yes' }]
}

function withHeader<T extends Extract<Message, { header?: unknown }>>(
  message: T,
  header: T['header'] | null,
): T {
  const { header: _, ...rest } = message
  return (header == null ? rest : { ...rest, header }) as T
}

function withFooter(message: Message, footer: string): Message {
  const { footer: _, ...rest } = message as { footer?: string | null }
  return (footer === '' ? rest : { ...rest, footer }) as Message
}
