import { defineCommand } from '@shop/messaging';
import { defineSaga, type SagaDefinition, step } from '../src/definition';
import { type Journey, journeyV1, journeyV2 } from './journey';
import { bodiesOf, planOf, releaseOf } from './release';

const data = { traveller: 'Ada' };
const [flight, hotel, pay] = journeyV1.steps as [
  (typeof journeyV1)['steps'][0],
  (typeof journeyV1)['steps'][0],
  (typeof journeyV1)['steps'][0],
];
const boat = { ...flight.do, command: defineCommand({ service: 'travel', name: 'boat', version: 1, body: class {} }) };
const v1 = (...steps: (typeof flight)[]) => defineSaga<Journey>('journey', 1, steps) as SagaDefinition<never>;
const first = journeyV1 as SagaDefinition<never>;

describe('R8 what a release promises', () => {
  it('R8 is its steps in order, with their commands, undos and pivot', () => {
    expect(planOf(first)).toEqual({
      name: 'journey',
      version: 1,
      steps: [
        { name: 'flight', pivot: false, do: 'cmd.travel travel.flight.v1', undo: 'cmd.travel travel.cancel-flight.v1' },
        { name: 'hotel', pivot: false, do: 'cmd.travel travel.hotel.v1', undo: 'cmd.travel travel.cancel-hotel.v1' },
        { name: 'pay', pivot: true, do: 'cmd.travel travel.pay.v1', undo: null },
      ],
    });
  });

  it.each<[string, SagaDefinition<never>]>([
    ['another order of the steps', v1(hotel, flight, pay)],
    ['another command', v1({ ...flight, do: boat }, hotel, pay)],
    ['another undo', v1({ ...flight, undo: boat }, hotel, pay)],
    ['another pivot', v1(flight, { ...hotel, pivot: true }, { ...pay, pivot: false })],
    ['another name of a step', v1({ ...flight, name: 'flights' }, hotel, pay)],
    ['a step less', v1(flight, pay)],
    ['another version', journeyV2],
  ])('R8 is broken by %s', (_, changed) => {
    expect(planOf(changed)).not.toEqual(planOf(first));
  });

  it('R8 is broken by another body, and kept by another deadline', () => {
    const seated = { ...flight, do: { ...flight.do, body: () => ({ traveller: 'Ada', seat: '12A' }) } };
    expect(bodiesOf(v1(seated, hotel, pay), data)).not.toEqual(bodiesOf(first, data));
    const patient = v1({ ...flight, deadline: step('slow', { do: boat }).deadline }, hotel, pay);
    expect([planOf(patient), bodiesOf(patient, data)]).toEqual([planOf(first), bodiesOf(first, data)]);
  });

  it('R8 holds for sagas in every status, on the way there and back', () => {
    const standings = new Set(releaseOf(first, data).states.map(({ status, action }) => `${status} ${action}`));
    const [there, back] = [
      ['running', 'completed', 'parked', 'compensated'],
      ['compensating', 'parked', 'compensated'],
    ];
    const all = [...there.map((status) => `${status} do`), ...back.map((status) => `${status} undo`)];
    expect([...standings].sort()).toEqual(all.sort());
  });
});
