/** The permissions of the broker are those that the services need, and no more. */
import { join } from 'node:path';
import { type BusUser, commandMailbox, configurationOf, permissionsOf } from '@shop/messaging';
import { expectKeptFile } from '@shop/testing';
import * as contracts from '../src';

const FILE = join(__dirname, '../../../docker/nats.conf');
const HEAD = `# Who may use which subjects of the bus. Made from libs/contracts/src/bus.ts; docs/security.md explains it.
# The passwords come from the environment of the broker. Each starts with a letter.
`;

const { busRoles } = contracts;
const passwordOf = (user: string): string => `$NATS_${user.toUpperCase()}_PASSWORD`;
const users: BusUser[] = [
  { name: 'operator', password: passwordOf('operator') },
  ...busRoles.map((role) => ({
    name: role.service,
    password: passwordOf(role.service),
    permissions: permissionsOf(role),
  })),
];

describe('R64 the users of the bus', () => {
  it('R64 are in the configuration that is kept', () => {
    const cure = { project: '@shop/contracts', pattern: 'bus', variable: 'UPDATE_BUS' };
    expectKeptFile(FILE, HEAD + configurationOf(users), cure);
  });

  it('R64 can send every command of the contracts, from the orchestrator alone, and answer it', () => {
    const mailboxes = Object.values(contracts).flatMap((one) =>
      typeof one === 'object' && 'mailbox' in one ? [one.mailbox] : [],
    );
    const orchestrators = busRoles.filter(({ commands }) => commands !== undefined);
    expect(orchestrators.map(({ service }) => service)).toEqual(['order']);
    expect(orchestrators[0]!.commands!.map(commandMailbox).sort()).toEqual([...new Set(mailboxes)].sort());
    const answering = busRoles.filter(({ answers }) => answers?.includes('order'));
    expect(answering.map(({ service }) => commandMailbox(service)).sort()).toEqual([...new Set(mailboxes)].sort());
  });
});
