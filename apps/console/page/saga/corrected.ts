/** What a person has changed in a body: the members that are new, and null for those that were taken out. Pure. */
export function changedMembers(body: Record<string, unknown>, text: string): Record<string, unknown> | undefined {
  const given = objectIn(text);
  if (!given) return undefined;
  const names = [...new Set([...Object.keys(body), ...Object.keys(given)])];
  const changed = names.filter((name) => JSON.stringify(body[name]) !== JSON.stringify(given[name]));
  return Object.fromEntries(changed.map((name) => [name, given[name] ?? null]));
}

function objectIn(text: string): Record<string, unknown> | undefined {
  try {
    const value = JSON.parse(text) as unknown;
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : undefined;
  } catch {
    return undefined;
  }
}
