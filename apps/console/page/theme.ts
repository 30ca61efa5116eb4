/** Dark or light: as the system says, or as somebody has chosen on this machine. */
const PLACE = 'console-theme';
export type Theme = 'system' | 'light' | 'dark';

const themes: readonly Theme[] = ['system', 'light', 'dark'];

export const chosenTheme = (): Theme => themes.find((theme) => theme === localStorage.getItem(PLACE)) ?? 'system';

export function applyTheme(theme: Theme): void {
  localStorage.setItem(PLACE, theme);
  if (theme === 'system') delete document.documentElement.dataset['theme'];
  else document.documentElement.dataset['theme'] = theme;
  dispatchEvent(new Event(THEME_CHANGED));
}

/** Told to whoever paints with colours that CSS does not reach, such as a canvas. */
export const THEME_CHANGED = 'console-theme';

export const nextTheme = (theme: Theme): Theme => themes[(themes.indexOf(theme) + 1) % themes.length]!;
