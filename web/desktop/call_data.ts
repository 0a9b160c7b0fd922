/** What came with a call, as far as it can be read. Pure. */

/** Pairs such as `CUST=7004;LANG=hu`, `CUST: 7004 | LANG: hu` or a web address's query, in order. */
export function pairsOf(data: string): readonly (readonly [string, string])[] {
  const parts = data.split(/[;&|\n]/).map((each) => each.trim());
  const pairs = parts.filter(Boolean).map((each) => /^([A-Za-z][\w .-]{0,30}?)\s*[=:]\s*(.*)$/.exec(each));
  if (pairs.length === 0 || pairs.includes(null)) return [];
  return pairs.map((each) => [each?.[1] ?? "", each?.[2] ?? ""] as const);
}
