/** The numbers of invoices, such as `INV-2026-0017`: each series counts from 1 without a gap. */

/** One sentence for each number that is missing, or there twice. */
export function gapsIn(numbers: readonly string[]): string[] {
  const series = new Map<string, number[]>();
  for (const number of numbers) {
    const [, name, count] = /^(\w+-\d{4})-(\d{4,})$/.exec(number) ?? [];
    if (name === undefined) return [`${number} is no number of an invoice`];
    series.set(name, [...(series.get(name) ?? []), Number(count)]);
  }
  return [...series].flatMap(([name, counts]) => {
    const sorted = counts.sort((a, b) => a - b);
    const wrong = sorted.findIndex((count, index) => count !== index + 1);
    return wrong < 0 ? [] : [`${name}: ${sorted[wrong]} stands where ${wrong + 1} is due`];
  });
}
