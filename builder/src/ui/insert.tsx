/** What can be put into a text at its cursor: emoji and the flow's variables. */
import { createContext, type RefObject, useContext } from 'react'
import { Popover } from './popover'

/** The variables that texts may hold; null outside of a flow's editor. */
export const Insertable = createContext<string[] | null>(null)

const EMOJI = [
  '😀 😃 😄 😁 😅 😂 🙂 😉 😊 😍 🤩 😘 😎 🤗 🤔 😐 😴 😢 😭 😡',
  '👍 👎 👌 🙏 👏 🙌 💪 👋 🤝 ✌️ 👉 👇 ☝️ 👀 💯 ✅ ❌ ❗ ❓ ⚠️',
  '❤️ 🧡 💛 💚 💙 💜 🔥 ✨ ⭐ 🌟 🎉 🎁 🎂 🏆 🥳 🎯 💡 📣 🔔 ⏰',
  '🛍️ 🛒 💳 💰 🏷️ 📦 🚚 🏠 🏥 🏫 📍 📞 📧 📅 📝 🔗 📷 🎥 🎵 ☕',
  '🍕 🍔 🍟 🌮 🥗 🍎 🍰 🍺 🌸 🌞 🌧️ ❄️ 🌈 🐶 🐱 🚗 ✈️ ⚽ 💇 👗',
].flatMap((row) => row.split(' '))

type Control = HTMLInputElement | HTMLTextAreaElement

export function InsertBar({
  label,
  control,
  onChange,
}: {
  /** The field's. */
  label: string
  control: RefObject<Control | null>
  onChange: (value: string) => void
}) {
  const variables = useContext(Insertable)

  function put(text: string) {
    const field = control.current
    if (!field) return
    const start = field.selectionStart ?? field.value.length
    const end = field.selectionEnd ?? start
    onChange(field.value.slice(0, start) + text + field.value.slice(end))
    requestAnimationFrame(() => {
      field.focus()
      field.setSelectionRange(start + text.length, start + text.length)
    })
  }

  if (variables === null) return null
  return (
    <span className="insert-bar">
      <Popover label={`Emoji into ${label}`} sign="☺">
        {(close) => (
          <div className="emoji">
            {EMOJI.map((one) => (
              <button
                key={one}
                type="button"
                className="quiet"
                onClick={() => {
                  put(one)
                  close()
                }}
              >
                {one}
              </button>
            ))}
          </div>
        )}
      </Popover>
      <Popover label={`Variable into ${label}`} sign="{ }">
        {(close) =>
          variables.length === 0 ? (
            <>
              <p className="soft">None is declared yet.</p>
              <button type="button" onClick={close}>
                Close
              </button>
            </>
          ) : (
            variables.map((name) => (
              <button
                key={name}
                type="button"
                className="quiet"
                onClick={() => {
                  put(`{{${name}}}`)
                  close()
                }}
              >
                {name}
              </button>
            ))
          )
        }
      </Popover>
    </span>
  )
}
