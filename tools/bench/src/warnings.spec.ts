import { Warnings } from './warnings';

describe('Warnings', () => {
  it('counts by event, also when the lines of two processes come in pieces', () => {
    const warnings = new Warnings();
    warnings.read('{"level":"info","event":"saga.started"}\n{"level":"warn","reason":"full","ev', 1);
    warnings.read('{"level":"error","event":"http.request.failed"}\n{"level":"wa', 2);
    warnings.read('ent":"messaging.batch.failed"}\n', 1);
    warnings.read('rn","event":"messaging.batch.failed"}\n', 2);
    expect(warnings.counts).toEqual({ 'messaging.batch.failed': 2, 'http.request.failed': 1 });
  });
});
