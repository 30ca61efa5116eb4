/**
 * Reads a batch from outside event by event, so that one event that nobody can read does not take its neighbours with it,
 * and is kept without what belongs to others. Pure functions.
 */
import { eventsIn, hasFitForm, type Message, tenantOf } from './message';

/** An event that cannot be read. */
export interface OddEvent {
  /** A batch that holds this event alone, byte for byte as it came. */
  batch: string;
  tenant?: string;
}

/** @throws UnreadableBatchError when the text is no list */
export function readBatch(text: string): { messages: Message[]; odd: OddEvent[] } {
  const events = eventsIn(text);
  if (events.every(hasFitForm)) return { messages: events, odd: [] };
  const texts = partsOf(text);
  return {
    messages: events.filter(hasFitForm),
    odd: events.flatMap((event, index) => (hasFitForm(event) ? [] : [oddEvent(event, texts[index]!)])),
  };
}

function oddEvent(event: unknown, text: string): OddEvent {
  const isObject = typeof event === 'object' && event !== null;
  return { batch: `[${text}]`, tenant: isObject ? tenantOf(event as Message) : undefined };
}

/**
 * The texts of the parts of a JSON list. The parts may be nested too deeply to be written again, so this walks over the
 * text and does not call itself.
 */
export function partsOf(list: string): string[] {
  const text = list.trim();
  const parts: string[] = [];
  let start = 1;
  let depth = 0;
  for (let at = 1; at < text.length; at++) {
    const character = text[at];
    if (character === '"') at = endOfString(text, at);
    else if (character === '[' || character === '{') depth++;
    else if (depth === 0 && (character === ',' || character === ']')) {
      parts.push(text.slice(start, at).trim());
      start = at + 1;
    } else if (character === ']' || character === '}') depth--;
  }
  return parts;
}

function endOfString(text: string, start: number): number {
  let at = start + 1;
  while (text[at] !== '"') at += text[at] === '\\' ? 2 : 1;
  return at;
}
