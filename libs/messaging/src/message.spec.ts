import { randomUUID } from 'node:crypto';
import { IsInt } from 'class-validator';
import fc from 'fast-check';
import { bodyOf, defineCommand } from './command';
import { replyTo } from './reply';
import {
  commandMailbox,
  decodeBatch,
  encodeBatch,
  eventMailbox,
  isFromItsSender,
  isReplica,
  type Message,
  newMessage,
  replyMailbox,
  shortWayOf,
  subjectOf,
  takesReplies,
  UnreadableBatchError,
} from './message';

const text = () => fc.string({ minLength: 1 });
const message = (): fc.Arbitrary<Message> =>
  fc
    .record(
      {
        id: text(),
        type: text(),
        source: text(),
        subject: text(),
        causationid: text(),
        replyto: text(),
        replica: text(),
        undoes: text(),
        traceparent: text(),
        data: fc.dictionary(text(), fc.jsonValue()).map((data) => JSON.parse(JSON.stringify(data)) as object),
      },
      { requiredKeys: ['id', 'type', 'source', 'subject', 'data'] },
    )
    .map((fields) => newMessage(fields));
const whole = newMessage({ id: '1', type: 't.v1', source: 's', subject: 'saga', data: {} });

/** A batch of one message, its data being so many arrays in each other. */
const nested = (levels: number) =>
  JSON.stringify([whole]).replace('"data":{}', `"data":${'['.repeat(levels)}${']'.repeat(levels)}`);

describe('a batch of messages', () => {
  it('comes out as it went in', () => {
    fc.assert(
      fc.property(fc.array(message(), { maxLength: 5 }), (batch) => {
        expect(decodeBatch(encodeBatch(batch))).toEqual(batch);
      }),
    );
  });

  it('is a CloudEvents 1.0 JSON batch, whose events say what they carry', () => {
    expect(JSON.parse(encodeBatch([whole]))).toEqual([
      {
        specversion: '1.0',
        id: '1',
        type: 't.v1',
        source: 's',
        subject: 'saga',
        datacontenttype: 'application/json',
        data: {},
      },
    ]);
  });

  it('keeps what a newer sender added', () => {
    const newer = { ...whole, colour: 'red' };
    expect(decodeBatch(JSON.stringify([newer]))).toEqual([newer]);
  });

  it('is readable with data of many levels', () => {
    expect(encodeBatch(decodeBatch(nested(99)))).toBe(nested(99));
  });

  it('R46 is readable or unreadable, and never anything else, whatever the bytes', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.json(),
          fc.array(fc.oneof(fc.jsonValue(), message())).map((all) => JSON.stringify(all)),
        ),
        (bytes) => {
          try {
            for (const { id, data } of decodeBatch(bytes))
              expect([typeof id, typeof data]).toEqual(['string', 'object']);
          } catch (error) {
            expect(error).toBeInstanceOf(UnreadableBatchError);
          }
        },
      ),
    );
  });

  it.each([
    ['no JSON', '[', 'not JSON'],
    ['a single message', JSON.stringify(whole), 'not an array'],
    ['nothing', 'null', 'not an array'],
    ['an empty place', '[null]', 'no CloudEvent of ours'],
    ['one strange element among good ones', JSON.stringify([whole, { ...whole, id: '' }]), 'no CloudEvent of ours'],
    ['another version of CloudEvents', JSON.stringify([{ ...whole, specversion: '2.0' }]), 'no CloudEvent of ours'],
    ['no saga', JSON.stringify([{ ...whole, subject: undefined }]), 'no CloudEvent of ours'],
    ['no data', JSON.stringify([{ ...whole, data: null }]), 'no CloudEvent of ours'],
    ['arrays in arrays', `${'['.repeat(10_000)}${']'.repeat(10_000)}`, 'no CloudEvent of ours'],
    ['JSON that cannot be written again', nested(10_000), 'nested too deeply'],
    ['one level deeper than allowed', nested(100), 'nested too deeply'],
    ['data that is no object', JSON.stringify([{ ...whole, data: 'text' }]), 'no CloudEvent of ours'],
  ])('R46 is unreadable when it is %s', (_, bytes, reason) => {
    expect(() => decodeBatch(bytes)).toThrow(UnreadableBatchError);
    expect(() => decodeBatch(bytes)).toThrow(reason);
  });
});

describe('a mailbox', () => {
  it('has a subject of its own below its name', () => {
    expect(subjectOf(commandMailbox('inventory'))).toBe('cmd.inventory.batch');
    expect(subjectOf(replyMailbox('order'))).toBe('reply.order.batch');
  });

  it('takes replies or not, by its kind', () => {
    const mailboxes = [replyMailbox('order'), commandMailbox('reply'), eventMailbox('order'), 'replying.order'];
    expect(mailboxes.map(takesReplies)).toEqual([true, false, false, false]);
  });

  it('has a short way to each replica, below subjects that no stream keeps', () => {
    const replica = randomUUID();
    expect(shortWayOf(replyMailbox('order'), replica, 'payment')).toBe(`direct.reply.order.${replica}.from.payment`);
  });
});

describe('the name of a replica', () => {
  it.each([[randomUUID()], ['order-1'], ['x'.repeat(64)]])('may be %j', (name) => {
    expect(isReplica(name)).toBe(true);
  });

  it.each([[''], ['a.b'], ['*'], ['>'], ['a b'], ['a\n'], ['x'.repeat(65)], [1], [null], [undefined], [['a']]])(
    'R46 may not be %j: it would be another subject, or none',
    (name) => {
      expect(isReplica(name)).toBe(false);
    },
  );
});

class LiftBody {
  @IsInt()
  kilos: number;
}
const Lift = defineCommand({ service: 'crane', name: 'lift', version: 2, body: LiftBody });

describe('a command', () => {
  const command = (data: object) =>
    newMessage({ ...whole, id: 'saga/lift/do', type: Lift.type, data, traceparent: 'trace' });

  it('is named after its service and version, and goes to the mailbox of the service', () => {
    expect([Lift.type, Lift.mailbox]).toEqual(['crane.lift.v2', 'cmd.crane']);
  });

  it('is read as its class, without what a newer sender added', () => {
    const read = bodyOf(Lift, command({ kilos: 3, colour: 'red' }));
    expect(read.ok && read.value).toEqual({ kilos: 3 });
    expect(read.ok && read.value).toBeInstanceOf(LiftBody);
    expect(bodyOf(Lift, command({ kilos: 'three' })).ok).toBe(false);
  });

  it('R3 has a reply whose id follows from its own, so that a reply that is sent again is the same message', () => {
    const reply = replyTo(command({}), 'crane', { outcome: 'succeeded' });
    expect(reply).toEqual(replyTo(command({}), 'crane', { outcome: 'succeeded' }));
    expect(reply).toMatchObject({
      id: 'saga/lift/do/reply',
      type: 'crane.lift.v2.reply',
      subject: 'saga',
      causationid: 'saga/lift/do',
      traceparent: 'trace',
    });
  });
});

describe('R64 isFromItsSender', () => {
  const from = (...sources: string[]) =>
    sources.map((source) => newMessage({ id: 'm', type: 't', source, subject: 's', data: {} }));
  const direct = 'direct.reply.order.one.from.payment';

  it.each([
    ['its sender', 'reply.order', 'reply.order.from.payment', ['payment', 'payment'], true],
    ['its sender the short way', 'reply.order', direct, ['payment'], true],
    ['another one among them', 'reply.order', 'reply.order.from.payment', ['payment', 'inventory'], false],
    ['another one the short way', 'reply.order', direct, ['inventory'], false],
    ['the owner, who hands on what it has taken', 'reply.order', 'reply.order.from.order', ['payment'], true],
    ['the owner, who replays', 'cmd.payment', 'cmd.payment.replay', ['order'], true],
    ['the release before', 'cmd.payment', 'cmd.payment.batch', ['order'], true],
    ['the teller of events', 'evt.order@mailer', 'evt.order.batch', ['order'], true],
    ['another mailbox, pulled to ours', 'reply.order', 'cmd.payment.replay', ['payment'], false],
    ['a sender in another mailbox', 'reply.order', 'cmd.payment.from.payment', ['payment'], false],
    ['nobody', 'reply.order', 'direct.reply.order.one', ['payment'], false],
    ['a name that only ends like the owner', 'cmd.payment', 'cmd.payment.from.ment', ['order'], false],
  ])('R64 says of a batch from %s whether it is true', (_, mailbox, subject, sources, expected) => {
    expect(isFromItsSender(mailbox, subject, from(...sources))).toBe(expected);
  });
});
