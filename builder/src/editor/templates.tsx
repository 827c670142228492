/** The templates that WhatsApp has, read once for the whole canvas. */
import { createContext, type ReactNode, useCallback, useContext, useMemo } from 'react'
import type { Entity, TemplateGroups } from '../api/types'
import type { MessageNode } from '../flow/document'
import { readTemplates, type Template } from '../flow/registry'
import { useSession } from '../session'
import { useLoaded } from '../ui/use-loaded'

interface Registry {
  /** Null until they are read. */
  all: Template[] | null
  /** Why they could not be read. */
  said: string | null
  reload: () => Promise<void>
}

const RegistryContext = createContext<Registry>({ all: null, said: null, reload: async () => {} })

export function TemplatesKnown({ children }: { children: ReactNode }) {
  const { api } = useSession()
  const read = useCallback(
    async () =>
      readTemplates(
        (await api.call<Entity<TemplateGroups>>('get/templates', { method: 'POST' })).entity,
      ),
    [api],
  )
  const { value, said, reload } = useLoaded(read)
  const registry = useMemo(() => ({ all: value, said, reload }), [value, said, reload])
  return <RegistryContext.Provider value={registry}>{children}</RegistryContext.Provider>
}

export function useRegistry(): Registry {
  return useContext(RegistryContext)
}

/** What WhatsApp has of the template that a message names; null if it is not known. */
export function useTemplate(node: MessageNode | null): Template | null {
  const { all } = useRegistry()
  const message = node?.message
  if (message?.type !== 'template') return null
  return (
    all?.find(({ name, language }) => name === message.name && language === message.language) ??
    null
  )
}
