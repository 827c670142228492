import type { MessageNode, TemplateMessage } from '../flow/document'
import { LIMITS } from '../flow/limits'
import { nextPlace } from '../flow/registry'
import { Field, TextField } from '../ui/field'
import type { MessageFieldsProps } from './message-editor'

/** Buttons of a template that WhatsApp handles itself: links that end in a variable, a code to copy. */
export function OwnButtons({
  node,
  message,
  change,
  said,
}: MessageFieldsProps<TemplateMessage> & { node: MessageNode }) {
  const urls = message.url_buttons ?? []
  const code = message.copy_code ?? null
  const all = (node.buttons?.length ?? 0) + urls.length + (code ? 1 : 0)
  const isFull = all >= LIMITS.mostTemplateButtons

  function putUrls(changed: typeof urls, about: string) {
    const { url_buttons: _, ...rest } = message
    change(changed.length ? { ...rest, url_buttons: changed } : rest, about)
  }

  function putCode(changed: typeof code) {
    const { copy_code: _, ...rest } = message
    change(changed ? { ...rest, copy_code: changed } : rest, 'message.copy_code')
  }

  return (
    <fieldset className="group">
      <legend>Link and code buttons</legend>
      <p className="soft small">
        As the template has them: what its link ends in, the code it copies. WhatsApp does not
        report taps on them.
      </p>
      {urls.map((url, i) => (
        <div className="item" key={i}>
          <TextField
            label="What the link ends in"
            value={url.text}
            most={LIMITS.longestUrl}
            fills
            problem={said(`url_buttons.${i}.text`)}
            onChange={(text) =>
              putUrls(
                urls.map((one) => (one === url ? { ...one, text } : one)),
                `message.url_buttons.${i}`,
              )
            }
          />
          <Place
            index={url.index}
            problem={said(`url_buttons.${i}.index`)}
            change={(index) =>
              putUrls(
                urls.map((one) => (one === url ? { ...one, index } : one)),
                `message.url_buttons.${i}.index`,
              )
            }
            remove={() =>
              putUrls(
                urls.filter((one) => one !== url),
                'message.url_buttons',
              )
            }
            what="link button"
          />
        </div>
      ))}
      {code && (
        <div className="item">
          <TextField
            label="Code to copy"
            value={code.code}
            most={LIMITS.longestCopyCode}
            fills
            problem={said('copy_code.code')}
            onChange={(text) => putCode({ ...code, code: text })}
          />
          <Place
            index={code.index}
            problem={said('copy_code.index')}
            change={(index) => putCode({ ...code, index })}
            remove={() => putCode(null)}
            what="code button"
          />
        </div>
      )}
      <div className="row">
        <button
          type="button"
          disabled={isFull || urls.length >= LIMITS.mostUrlButtons}
          onClick={() =>
            putUrls([...urls, { index: nextPlace(node), text: '' }], 'message.url_buttons')
          }
        >
          Add a link button
        </button>
        <button
          type="button"
          disabled={isFull || code !== null}
          onClick={() => putCode({ index: nextPlace(node), code: '' })}
        >
          Add a code button
        </button>
      </div>
    </fieldset>
  )
}

function Place({
  index,
  problem,
  what,
  change,
  remove,
}: {
  index: number
  problem: string | null
  what: string
  change: (index: number) => void
  remove: () => void
}) {
  return (
    <div className="with-button">
      <Field label="Its place among the template's buttons" problem={problem}>
        {(field) => (
          <input
            {...field}
            type="number"
            min="1"
            max={LIMITS.mostTemplateButtons}
            value={index + 1}
            onChange={(event) => {
              const place = Math.floor(event.target.valueAsNumber)
              if (place >= 1 && place <= LIMITS.mostTemplateButtons) change(place - 1)
            }}
          />
        )}
      </Field>
      <button type="button" className="quiet" aria-label={`Remove ${what}`} onClick={remove}>
        ✕
      </button>
    </div>
  )
}
