/** Every state of a delivery with everything that can become known about it, in every order. */
import {
  decideStop,
  deliveryIdOf,
  deliveryStatuses,
  type DeliveryStatus,
  type Finding,
  isStray,
  move,
  type Move,
  shipmentStatuses,
  type Standing,
} from './delivery';

const findings: Finding[] = [
  ...shipmentStatuses.map((status) => ({ kind: 'seen', status }) as const),
  ...shipmentStatuses.map((status) => ({ kind: 'kept', status }) as const),
  { kind: 'absent' },
  { kind: 'refused' },
];
const nameOf = (finding: Finding): string => ('status' in finding ? `${finding.kind} ${finding.status}` : finding.kind);

/** Those that can be: the carrier was asked in every state but the first ones, and a stop is wanted only before an end. */
const standings: Standing[] = deliveryStatuses.flatMap((status) => {
  const asked = status === 'waiting' || status === 'stopped' || status === 'elsewhere' ? [false, true] : [true];
  const canBeWanted = ['waiting', 'handing_over', 'handed_over', 'parked'].includes(status);
  return asked.flatMap((isAsked) =>
    (canBeWanted && isAsked ? [false, true] : [false]).map((stopWanted) => ({ status, asked: isAsked, stopWanted })),
  );
});
const askedStandings = standings.filter(({ asked }) => asked);

function textOf({ standing, tells, alarm }: Move): string {
  return [standing.status, standing.stopWanted ? 'stop wanted' : [], tells, alarm ?? []].flat().join(', ');
}

const after = (status: DeliveryStatus, finding: Finding, stopWanted = false): string =>
  textOf(move({ status, asked: true, stopWanted }, finding));

/** The first is without a stop, the second with one that is wanted. Absent: as it was, and nothing is told. */
const table: Partial<Record<DeliveryStatus, Record<string, [string, string?]>>> = {
  waiting: open({ absent: ['waiting', 'stopped'], refused: ['waiting', 'waiting, stop wanted'] }),
  handing_over: open({ absent: ['handing_over', 'stopped'], refused: ['parked', 'parked, stop wanted'] }),
  parked: open({ absent: ['parked', 'stopped'], refused: ['parked', 'parked, stop wanted'] }),
  handed_over: {
    'seen accepted': ['handed_over', 'handed_over, stop wanted'],
    'seen in_transit': ['handed_over', 'handed_over, stop wanted'],
    'seen delivered': ['delivered, delivered', 'delivered, delivered'],
    'seen recalled': ['recalled, recalled_unasked', 'recalled'],
    'kept accepted': ['handed_over', 'handed_over'],
    'kept in_transit': ['handed_over', 'handed_over'],
    'kept delivered': ['delivered, delivered', 'delivered, delivered'],
    'kept recalled': ['recalled, recalled_unasked', 'recalled'],
    absent: ['handed_over, lost_by_carrier', 'stopped, lost_by_carrier'],
    refused: ['handed_over', 'handed_over, stop wanted'],
  },
  stopped: {
    'seen delivered': ['delivered, handed-over, delivered, on_its_way_after_stop'],
    'seen recalled': ['recalled'],
    'kept accepted': ['handed_over, handed-over, on_its_way_after_stop'],
    'kept in_transit': ['handed_over, handed-over, on_its_way_after_stop'],
    'kept delivered': ['delivered, handed-over, delivered, on_its_way_after_stop'],
    'kept recalled': ['recalled'],
  },
  recalled: {
    'seen delivered': ['recalled, delivered_after_recall'],
    'kept delivered': ['recalled, delivered_after_recall'],
  },
};

function open(more: Record<string, [string, string?]>): Record<string, [string, string?]> {
  const onItsWay = 'handed_over, handed-over';
  const there = 'delivered, handed-over, delivered';
  return {
    'seen accepted': [onItsWay, 'handed_over, stop wanted, handed-over'],
    'seen in_transit': [onItsWay, 'handed_over, stop wanted, handed-over'],
    'seen delivered': [there, there],
    'seen recalled': ['recalled, recalled_unasked', 'recalled'],
    'kept accepted': [onItsWay, onItsWay],
    'kept in_transit': [onItsWay, onItsWay],
    'kept delivered': [there, there],
    'kept recalled': ['recalled, recalled_unasked', 'recalled'],
    ...more,
  };
}

describe('R40 a delivery', () => {
  it.each(deliveryStatuses)('R40 that is %s moves as the table says, for each finding', (status) => {
    const expected = findings.map((finding) => {
      const [plain = status, wanted] = table[status]?.[nameOf(finding)] ?? [];
      return [nameOf(finding), plain, ...(wanted === undefined ? [] : [wanted])];
    });
    const moved = findings.map((finding) => {
      const hasWanted = table[status]?.[nameOf(finding)]?.[1] !== undefined;
      return [nameOf(finding), after(status, finding), ...(hasWanted ? [after(status, finding, true)] : [])];
    });
    expect(moved).toEqual(expected);
  });

  it('R40 tells that it arrived once at most, and the hand-over before it, however findings are repeated and ordered', () => {
    const paths = pathsOf(findings, 4);
    for (const first of askedStandings) {
      for (const path of paths) {
        let standing = first;
        // What was told before.
        let told: string[] =
          { handed_over: ['handed-over'], delivered: ['handed-over', 'delivered'] }[first.status as string] ?? [];
        for (const finding of path) {
          const moved = move(standing, finding);
          // One that the carrier had lost, and finds again, is handed over again, under the id of the same event.
          told = [...told, ...moved.tells].filter(
            (one, index, all) => one === 'delivered' || all.indexOf(one) === index,
          );
          standing = moved.standing;
        }
        const orders = ['', 'handed-over', 'handed-over delivered'];
        if (!orders.includes(told.join(' '))) expect([first, path, told]).toBe('in order');
      }
    }
  });

  it('R40 is moved by a repeat of the same finding no further, and without a second event', () => {
    for (const standing of askedStandings) {
      for (const finding of findings) {
        const once = move(standing, finding);
        const twice = move(once.standing, finding);
        expect([nameOf(finding), twice.standing, twice.tells]).toEqual([nameOf(finding), once.standing, []]);
      }
    }
  });

  it('R40 ends in the same way when the messages about a shipment come in any order', () => {
    const ways: Finding[] = [
      { kind: 'seen', status: 'accepted' },
      { kind: 'seen', status: 'in_transit' },
      { kind: 'seen', status: 'delivered' },
    ];
    for (const path of ordersOf(ways)) {
      const end = path.reduce<Standing>((standing, one) => move(standing, one).standing, {
        status: 'handing_over',
        asked: true,
        stopWanted: false,
      });
      expect(end.status).toBe('delivered');
    }
  });

  it('R40 is never handed over again once it is over, and wants no stop any more', () => {
    for (const status of ['delivered', 'recalled', 'elsewhere'] as const) {
      for (const finding of findings) {
        const { standing } = move({ status, asked: true, stopWanted: false }, finding);
        expect(standing).toEqual({ status, asked: true, stopWanted: false });
      }
    }
  });

  it('R40 has a name that follows from the tenant and the order, and from nothing else', () => {
    const orderId = '0d3c4a4e-5b0f-4d0e-9d6b-3f5f1a2b3c4d';
    const id = deliveryIdOf({ tenant: 'acme', orderId });
    expect(id).toMatch(/^dlv_[\w-]{27}$/);
    expect(deliveryIdOf({ tenant: 'acme', orderId })).toBe(id);
    expect(deliveryIdOf({ tenant: 'rival', orderId })).not.toBe(id);
  });
});

describe('R40 the stop of a delivery', () => {
  it('R40 is decided at once where the carrier was not asked, and by the carrier elsewhere', () => {
    const decided = [undefined, ...standings].map((standing) => [
      standing ? `${standing.status}${standing.asked ? ' asked' : ''}` : 'unknown',
      decideStop(standing),
    ]);
    expect(Object.fromEntries(decided)).toEqual({
      unknown: 'record',
      waiting: 'stopped',
      'waiting asked': 'ask-carrier',
      'handing_over asked': 'ask-carrier',
      'handed_over asked': 'ask-carrier',
      'delivered asked': 'already-shipped',
      stopped: 'nothing-to-stop',
      'stopped asked': 'nothing-to-stop',
      'recalled asked': 'nothing-to-stop',
      'parked asked': 'ask-carrier',
      elsewhere: 'nothing-to-stop',
      'elsewhere asked': 'nothing-to-stop',
    });
  });

  it('R40 that the carrier has answered is wanted no more, whatever the answer', () => {
    const answers: Finding[] = [
      { kind: 'seen', status: 'recalled' },
      { kind: 'kept', status: 'in_transit' },
      { kind: 'kept', status: 'delivered' },
      { kind: 'absent' },
    ];
    for (const standing of standings.filter(({ stopWanted }) => stopWanted)) {
      for (const answer of answers) expect(move(standing, answer).standing.stopWanted).toBe(false);
    }
  });

  it('R40 leaves nothing on its way: what the carrier shows behind it is a stray', () => {
    const strays = standings.flatMap((standing) =>
      shipmentStatuses.filter((shipment) => isStray(standing, shipment)).map((shipment) => [standing.status, shipment]),
    );
    expect([...new Set(strays.map(([status]) => status))]).toEqual(['stopped']);
    expect([...new Set(strays.map(([, shipment]) => shipment))]).toEqual(['accepted', 'in_transit', 'delivered']);
  });
});

/** All sequences of so many of these. */
function pathsOf<T>(all: readonly T[], length: number): T[][] {
  if (length === 0) return [[]];
  return pathsOf(all, length - 1).flatMap((path) => all.map((one) => [...path, one]));
}

function ordersOf<T>(all: readonly T[]): T[][] {
  if (all.length === 0) return [[]];
  return all.flatMap((one, index) => ordersOf(all.toSpliced(index, 1)).map((rest) => [one, ...rest]));
}
