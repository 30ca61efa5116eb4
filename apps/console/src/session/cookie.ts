/** The cookie of a session as text. Pure. */
export interface CookieOptions {
  /** Only sent over HTTPS, and only to this very host. */
  secure: boolean;
}

const nameOf = ({ secure }: CookieOptions): string => (secure ? '__Host-console' : 'console');

export function cookieIn(header: string | undefined, options: CookieOptions): string | undefined {
  const start = `${nameOf(options)}=`;
  const found = (header ?? '').split(';').map((part) => part.trim());
  return found.find((part) => part.startsWith(start))?.slice(start.length);
}

export function setCookie(value: string, { maxAgeSeconds, ...options }: CookieOptions & { maxAgeSeconds: number }) {
  const secure = options.secure ? '; Secure' : '';
  return `${nameOf(options)}=${value}; Path=/; Max-Age=${maxAgeSeconds}; HttpOnly; SameSite=Strict${secure}`;
}

export const removeCookie = (options: CookieOptions): string => setCookie('', { ...options, maxAgeSeconds: 0 });
