import type { MediaMessage, Message } from '../flow/document'
import { LIMITS } from '../flow/limits'
import { SelectField, TextField } from '../ui/field'
import type { MessageFieldsProps } from './message-editor'

type LocationMessage = Extract<Message, { type: 'location' }>

export function MediaFields({ message, change, said }: MessageFieldsProps<MediaMessage>) {
  const byId = message.id != null
  return (
    <>
      <SelectField
        label="The file is"
        value={byId ? 'id' : 'link'}
        options={[
          ['link', 'at a public address'],
          ['id', 'uploaded to WhatsApp'],
        ]}
        onChange={(source) => {
          const { link: _, id: __, ...rest } = message
          change(
            source === 'id' ? { ...rest, id: '' } : { ...rest, link: 'https://' },
            'message.source',
          )
        }}
      />
      {byId ? (
        <TextField
          label="Media id"
          value={message.id ?? ''}
          problem={said('id')}
          onChange={(id) => change({ ...message, id }, 'message.id')}
        />
      ) : (
        <TextField
          label="Link"
          value={message.link ?? ''}
          fills
          problem={said('link')}
          hint="A public https address; it may hold variables."
          onChange={(link) => change({ ...message, link }, 'message.link')}
        />
      )}
      {message.type !== 'audio' && (
        <TextField
          label="Caption (optional)"
          rows={3}
          value={message.caption ?? ''}
          most={LIMITS.longestCaption}
          fills
          problem={said('caption')}
          onChange={(caption) => change(without(message, 'caption', caption), 'message.caption')}
        />
      )}
      {message.type === 'document' && (
        <TextField
          label="File name (optional)"
          value={message.filename ?? ''}
          problem={said('filename')}
          onChange={(filename) =>
            change(without(message, 'filename', filename), 'message.filename')
          }
        />
      )}
    </>
  )
}

function without<T extends object>(message: T, field: string, text: string): T {
  const { [field]: _, ...rest } = message as Record<string, unknown>
  return (text === '' ? rest : { ...rest, [field]: text }) as T
}

export function LocationFields({ message, change, said }: MessageFieldsProps<LocationMessage>) {
  return (
    <>
      <div className="pair">
        <TextField
          label="Latitude"
          value={String(message.latitude)}
          problem={said('latitude')}
          onChange={(latitude) => change({ ...message, latitude }, 'message.latitude')}
        />
        <TextField
          label="Longitude"
          value={String(message.longitude)}
          problem={said('longitude')}
          onChange={(longitude) => change({ ...message, longitude }, 'message.longitude')}
        />
      </div>
      <TextField
        label="Name (optional)"
        value={message.name ?? ''}
        onChange={(name) => change(without(message, 'name', name), 'message.name')}
      />
      <TextField
        label="Address (optional)"
        value={message.address ?? ''}
        onChange={(address) => change(without(message, 'address', address), 'message.address')}
      />
    </>
  )
}
