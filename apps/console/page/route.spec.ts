import { hrefTo, hrefWith, readPlace } from './route';

describe('an address of the console', () => {
  it.each([
    ['', []],
    ['#/', []],
    ['#/sagas', ['sagas']],
    ['#/sagas/a%2Fb', ['sagas', 'a/b']],
    ['#/sagas/%', ['sagas', '%']],
  ])('%s names a page', (hash, parts) => {
    expect(readPlace(hash).parts).toEqual(parts);
  });

  it('comes back as it was', () => {
    const href = hrefTo(['sagas', 'a/b'], { q: 'x & y', step: '', status: undefined });
    expect(href).toBe('#/sagas/a%2Fb?q=x+%26+y');
    expect(readPlace(href).query.get('q')).toBe('x & y');
  });

  it('changes a part of its query', () => {
    expect(hrefWith(readPlace('#/sagas?status=parked&step=charge'), { step: undefined, q: '7' })).toBe(
      '#/sagas?status=parked&q=7',
    );
  });
});
