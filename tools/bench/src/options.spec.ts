import { OptionError, readOptions } from './options';

describe('readOptions', () => {
  it('measures rounds with the default numbers unless other numbers are given', () => {
    expect(readOptions([])).toMatchObject({ scenario: 'rounds', rounds: 3, orders: 6_000, provider: 'simulated' });
  });

  it('takes names and values in any order', () => {
    const options = readOptions(['--orders', '1500', '--scenario', 'flash', '--provider', 'sandbox', '--warm-up', '0']);
    expect(options).toMatchObject({ scenario: 'flash', orders: 1_500, warmUp: 0, provider: 'sandbox' });
  });

  it('lets a scenario have its own defaults, and the command line replace them', () => {
    expect(readOptions(['--scenario', 'overload']).concurrency).toBe(2_000);
    expect(readOptions(['--concurrency', '100', '--scenario', 'overload']).concurrency).toBe(100);
  });

  it.each([
    [['--order', '5'], 'There is no option --order; there are --rounds'],
    [['flash'], 'There is no option flash; there are'],
    [['--orders'], 'The option --orders needs a value behind it.'],
    [['--orders', 'many'], '--orders must be a whole number of at least 1, and "many" is not.'],
    [['--orders', '0'], '--orders must be a whole number of at least 1'],
    [['--skus', '1'], '--skus must be a whole number of at least 2'],
    [['--warm-up', '-1'], '--warm-up must be a whole number of at least 0'],
    [['--scenario', 'flsh'], '--scenario must be one of rounds, flash, history, replicas, growth, overload'],
    [['--provider', 'paypal'], '--provider must be one of simulated, sandbox, and "paypal" is not.'],
    [['--profile', 'orders'], '--profile must be one of'],
  ])('refuses %j in one sentence', (argv, sentence) => {
    expect(() => readOptions(argv)).toThrow(OptionError);
    expect(() => readOptions(argv)).toThrow(sentence);
  });
});
