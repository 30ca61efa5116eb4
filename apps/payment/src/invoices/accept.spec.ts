import { prefersPdf } from './accept';

describe('R39 a page of paper', () => {
  it.each([
    'application/pdf',
    'Application/PDF',
    'application/pdf, application/json;q=0.9',
    'application/json;q=0.5, application/pdf;q=0.6',
    'application/pdf, */*;q=0.1',
    'text/html, application/pdf;q=0.2',
  ])('R39 is wanted by %p', (accept) => expect(prefersPdf(accept)).toBe(true));

  it.each([
    undefined,
    '',
    '*/*',
    'application/*',
    'application/json',
    'application/pdf, application/json',
    'application/pdf;q=0.5, */*',
    'application/pdf;q=0',
    'application/pdf;q=x',
    'application/pdfs',
  ])('R39 is not wanted by %p', (accept) => expect(prefersPdf(accept)).toBe(false));
});
