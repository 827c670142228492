import type { TemplateMessage } from '../flow/document'
import { LIMITS } from '../flow/limits'
import { variablesIn } from '../flow/rendering'
import { Field, SelectField, TextField } from '../ui/field'
import { HeaderEditor } from './header-editor'
import { type MessageFieldsProps, VariableHint } from './message-editor'

const CATEGORIES = [
  ['marketing', 'Marketing'],
  ['utility', 'Utility'],
  ['authentication', 'Authentication'],
] as const

export function TemplateEditor(props: MessageFieldsProps<TemplateMessage>) {
  const { message, change, said } = props
  return (
    <>
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
        most={LIMITS.templateBody}
        problem={said('preview')}
        hint="For previews; WhatsApp sends the approved text. {{1}}, {{2}} are its parameters."
        onChange={(preview) => change(withPreview(message, preview), 'message.preview')}
      />
      <Parameters {...props} />
      <ExtraButtons {...props} />
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

function Parameters({ message, change, said, variables }: MessageFieldsProps<TemplateMessage>) {
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
      <p className="soft small">
        <VariableHint variables={variables} />
      </p>
      {rows.map(([key, text]) => (
        <div className="with-button" key={key}>
          <TextField
            label={isList ? `{{${Number(key) + 1}}}` : `{{${key}}}`}
            value={text}
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

/** Buttons that WhatsApp handles itself: their variable parts. */
function ExtraButtons({ message, change, said }: MessageFieldsProps<TemplateMessage>) {
  const urls = message.url_buttons ?? []
  if (urls.length === 0 && !message.copy_code) return null
  return (
    <fieldset className="group">
      <legend>Link and code buttons</legend>
      {urls.map((url, i) => (
        <TextField
          key={url.index}
          label={`End of the link of button ${url.index + 1}`}
          value={url.text}
          most={LIMITS.url}
          problem={said(`url_buttons.${i}`)}
          onChange={(text) =>
            change(
              {
                ...message,
                url_buttons: urls.map((one) => (one === url ? { ...one, text } : one)),
              },
              `message.url_buttons.${i}`,
            )
          }
        />
      ))}
      {message.copy_code && (
        <TextField
          label={`Code of button ${message.copy_code.index + 1}`}
          value={message.copy_code.code}
          most={LIMITS.copyCode}
          problem={said('copy_code')}
          onChange={(code) =>
            change(
              { ...message, copy_code: { index: message.copy_code?.index ?? 0, code } },
              'message.copy_code',
            )
          }
        />
      )}
    </fieldset>
  )
}
