import type { Api } from '../api/client'
import type { Campaign, Page } from '../api/types'

/** Every campaign, page by page. Throws `ApiError`. */
export async function allCampaigns(api: Api): Promise<Campaign[]> {
  const all: Campaign[] = []
  let cursor: string | null = null
  do {
    const place: string = cursor === null ? '' : `&cursor=${encodeURIComponent(cursor)}`
    const page: Page<Campaign> = await api.call(`campaigns?limit=200${place}`)
    all.push(...page.data)
    cursor = page.nextCursor
  } while (cursor !== null)
  return all
}
