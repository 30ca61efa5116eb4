/** How the tree of a trace should look: a story in nodes, written as the collector shows it. */

export interface Node {
  name: string;
  below: Node[];
}

export const node = (name: string, ...below: Node[]): Node => ({ name, below });

/** One passage through a lane that is not busy: the batch has one member. */
export const lane = (service: string, name: string): Node =>
  node(`${service}: ${name}`, node(`${service}: ${name} batch`, node(`${service}: transaction`)));

const serviceOf = (type: string): string => type.split('.', 1)[0]!;

/**
 * A command and its reply.
 * @param work what the participant does besides its transaction
 * @param then what the saga makes of the reply
 */
export function command(type: string, work: readonly Node[], then: readonly Node[]): Node {
  const service = serviceOf(type);
  const replied = node(`order: process ${type}.reply`, lane('order', 'saga-events'), ...then);
  return node(
    `order: send ${type}`,
    node(
      `${service}: process ${type}`,
      lane(service, 'commands'),
      ...work,
      node(`${service}: send ${type}.reply`, replied),
    ),
  );
}

/** An event, and what those who hear it do. `heard` without a service in its lane is one that does nothing. */
export function event(service: string, type: string, ...heard: Node[]): Node {
  return node(
    `${service}: create ${type}`,
    node(`${service}: publish evt.${service}`),
    ...heard.map(({ name, below }) => {
      const [listener, work] = name.split(': ') as [string, string];
      return node(`${listener}: process ${type}`, ...(work === '' ? below : [node(name, ...below)]));
    }),
  );
}

export function textOf(nodes: readonly Node[], depth = 0): string {
  return nodes
    .map(({ name, below }) => [`${'  '.repeat(depth)}${name}`, ...(below.length > 0 ? [textOf(below, depth + 1)] : [])])
    .map((lines) => lines.join('\n'))
    .sort()
    .join('\n');
}
