/** Things of an agent's day, to put into a view. */

import type { ItemView } from "../../client/index.js";

/** A customer's record on the line, without fields. */
export function anItem(number: number, news: Partial<ItemView> = {}): ItemView {
  return {
    number,
    kind: "outbound",
    stage: "on-call",
    title: "PAT LEE",
    waited: "",
    key: "",
    fields: [],
    since: "2026-01-01T00:00:00.000Z",
    stage_since: "2026-01-01T00:00:00.000Z",
    preview_until: null,
    suggested_code: "",
    draft: { notes: "", code: "" },
    ...news,
  };
}
