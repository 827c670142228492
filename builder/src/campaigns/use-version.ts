import { useCallback } from 'react'
import type { Entity, FrozenFlow } from '../api/types'
import type { Flow } from '../flow/document'
import { useSession } from '../session'
import { type Loaded, useLoaded } from '../ui/use-loaded'

/** The flow that was frozen as a version of a campaign. */
export function useVersion(campaignId: string, version: string): Loaded<Flow> {
  const { api } = useSession()
  const path = `campaigns/${campaignId}/versions/${encodeURIComponent(version)}`
  return useLoaded(
    useCallback(
      async () => (await api.call<Entity<FrozenFlow>>(path)).entity.flow as unknown as Flow,
      [api, path],
    ),
  )
}
