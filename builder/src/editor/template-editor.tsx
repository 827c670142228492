import type { MessageNode, TemplateMessage } from '../flow/document'
import { LIMITS } from '../flow/limits'
import { variablesIn } from '../flow/rendering'
import { Field, SelectField, TextField } from '../ui/field'
import { HeaderEditor } from './header-editor'
import type { MessageFieldsProps } from './message-editor'
import { OwnButtons } from './own-buttons'
import { TemplatePicker } from './template-picker'

const CATEGORIES = [
  ['marketing', 'Marketing'],
  ['utility', 'Utility'],
  ['authentication', 'Authentication'],
] as const

/** A template that WhatsApp has approved, or will have, and what fills its places. */
export function TemplateEditor({
  node,
  choose,
  ...props
}: MessageFieldsProps<TemplateMessage> & {
  node: MessageNode
  choose: (node: MessageNode) => void
}) {
  const { message, change, said } = props
  return (
    <>
      <TemplatePicker node={node} choose={choose} />
      <TextField
        label="Template name"
        value={message.name}
        problem={said('name')}
        hint="As it is approved at WhatsApp."
        onChange={(name) => change({ ...message, name }, 'message.name')}
      />
      <div className="pair">
        <TextField
          label="Language"
          value={message.language}
          problem={said('language')}
          onChange={(language) => change({ ...message, language }, 'message.language')}
        />
        <SelectField
          label="Category"
          value={message.category}
          options={CATEGORIES}
          onChange={(category) => change({ ...message, category }, 'message.category')}
        />
      </div>
      <HeaderEditor
        header={message.header}
        kinds={['text', 'image', 'video', 'document', 'location']}
        change={(header) => {
          const { header: _, ...rest } = message
          change(header === null ? rest : { ...rest, header }, 'message.header')
        }}
        said={said}
      />
      <TextField
        label="Text of the template"
        rows={4}
        value={message.preview ?? ''}
        most={LIMITS.longestTemplateBody}
        problem={said('preview')}
        hint="For previews; WhatsApp sends the approved text. {{1}}, {{2}} are its parameters."
        onChange={(preview) => change(withPreview(message, preview), 'message.preview')}
      />
      <Parameters {...props} />
      <OwnButtons {...props} node={node} />
    </>
  )
}

/** The text, with as many parameters as it has numbered places. */
function withPreview(message: TemplateMessage, preview: string): TemplateMessage {
  const { preview: _, ...rest } = message
  const body = message.body ?? []
  const places = variablesIn(preview).map(Number).filter(Number.isInteger)
  const most = Math.min(Math.max(0, ...places), 30)
  const grown =
    Array.isArray(body) && most > body.length
      ? [...body, ...Array.from({ length: most - body.length }, () => '')]
      : body
  const text = preview === '' ? {} : { preview }
  return Array.isArray(grown) && grown.length === 0
    ? { ...rest, ...text }
    : { ...rest, body: grown, ...text }
}

function Parameters({ message, change, said }: MessageFieldsProps<TemplateMessage>) {
  const body = message.body ?? []
  const isList = Array.isArray(body)
  const rows: [string, string][] = isList
    ? body.map((text, i) => [String(i), text])
    : Object.entries(body)
  const put = (changed: TemplateMessage['body'], about: string) =>
    change({ ...message, body: changed }, about)

  function set(key: string, text: string) {
    if (isList)
      put(
        body.map((old, i) => (String(i) === key ? text : old)),
        `message.body.${key}`,
      )
    else put({ ...body, [key]: text }, `message.body.${key}`)
  }

  function remove(key: string) {
    if (isList)
      put(
        body.filter((_, i) => String(i) !== key),
        'message.body',
      )
    else put(Object.fromEntries(rows.filter(([name]) => name !== key)), 'message.body')
  }

  return (
    <fieldset className="group">
      <legend>Body parameters</legend>
      {rows.map(([key, text]) => (
        <div className="with-button" key={key}>
          <TextField
            label={isList ? `{{${Number(key) + 1}}}` : `{{${key}}}`}
            value={text}
            fills
            problem={said(`body.${key}`)}
            onChange={(changed) => set(key, changed)}
          />
          <button
            type="button"
            className="quiet"
            aria-label={`Remove parameter ${isList ? Number(key) + 1 : key}`}
            onClick={() => remove(key)}
          >
            ✕
          </button>
        </div>
      ))}
      {said('body') && <p className="problem">{said('body')}</p>}
      {isList ? (
        <button type="button" onClick={() => put([...body, ''], 'message.body')}>
          Add a parameter
        </button>
      ) : (
        <NamedParameter
          taken={Object.keys(body)}
          add={(name) => put({ ...body, [name]: '' }, 'message.body')}
        />
      )}
    </fieldset>
  )
}

function NamedParameter({ taken, add }: { taken: string[]; add: (name: string) => void }) {
  return (
    <Field label="Add a named parameter" hint="Enter adds it.">
      {(field) => (
        <input
          {...field}
          type="text"
          onKeyDown={(event) => {
            const name = event.currentTarget.value.trim()
            if (event.key !== 'Enter' || !name || taken.includes(name)) return
            add(name)
            event.currentTarget.value = ''
          }}
        />
      )}
    </Field>
  )
}
