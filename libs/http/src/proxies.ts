/** The proxies before a service, whose word about the address of a client is taken. */
import { isIP } from 'node:net';

const MAX_BITS: Record<number, number> = { 4: 32, 6: 128 };

/** @throws Error when a part of the list is neither an address nor a network */
export function parseProxies(text: string): string[] {
  const proxies = text.split(',').flatMap((part) => part.trim() || []);
  if (!proxies.every(isNetwork)) throw new Error('must list addresses or networks such as 10.0.0.0/8');
  return proxies;
}

function isNetwork(text: string): boolean {
  const [address = '', bits, ...more] = text.split('/');
  const largest = MAX_BITS[isIP(address)];
  if (largest === undefined || more.length > 0) return false;
  return bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) > 0 && Number(bits) <= largest);
}
