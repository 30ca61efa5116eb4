import { readSamples } from './prometheus-text';

const all = () => true;

describe('the text of a process', () => {
  it('is read line by line, with its labels', () => {
    const text = [
      '# HELP saga_parked Sagas that wait for a person',
      '# TYPE saga_parked gauge',
      'saga_parked 3',
      'saga_transitions_total{saga="place-order",event="started",to="reserve.do"} 12',
      'http_request_duration_seconds_bucket{le="+Inf",route="/orders"} 7 1700000000000',
    ].join('\n');
    expect(readSamples(text, all)).toEqual([
      { key: 'saga_parked{}', name: 'saga_parked', labels: {}, value: 3 },
      {
        key: 'saga_transitions_total{saga="place-order",event="started",to="reserve.do"}',
        name: 'saga_transitions_total',
        labels: { saga: 'place-order', event: 'started', to: 'reserve.do' },
        value: 12,
      },
      expect.objectContaining({ labels: { le: '+Inf', route: '/orders' }, value: 7 }),
    ]);
  });

  it('may have labels with anything in them', () => {
    const [sample] = readSamples('a{b="x \\"y\\" } 7",c="\\\\n\\n,"} 1', all);
    expect(sample!.labels).toEqual({ b: 'x "y" } 7', c: '\\n\n,' });
  });

  it.each(['', 'nonsense', 'a{b="c"}', 'a NaN', 'a{b="c" 1', '{} 1', '<html>'])('may have no sense: %j', (line) => {
    expect(readSamples(line, all)).toEqual([]);
  });

  it('is read only where it is wanted', () => {
    expect(readSamples('a 1\nb{} 2\nab 3', (name) => name === 'b')).toMatchObject([{ name: 'b', value: 2 }]);
  });

  it('is not read without an end', () => {
    const text = Array.from({ length: 30_000 }, (_, index) => `a{b="${index}"} 1`).join('\n');
    expect(readSamples(text, all)).toHaveLength(20_000);
  });
});
