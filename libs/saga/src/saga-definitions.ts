/** The saga definitions that this replica can drive, by name and version. */
import type { SagaDefinition } from './definition';
import type { SagaRow } from './saga.repository';

export class SagaDefinitions {
  private readonly byName: Map<string, SagaDefinition<never>>;

  constructor(definitions: readonly SagaDefinition<never>[]) {
    this.byName = new Map(definitions.map((one) => [versionedName(one.name, one.version), one]));
  }

  /** The names in the form `name v1`. */
  get names(): string[] {
    return [...this.byName.keys()];
  }

  /** Returns undefined for a version that this replica does not know. */
  of(saga: Pick<SagaRow, 'definition' | 'definitionVersion'>): SagaDefinition<never> | undefined {
    return this.byName.get(versionedName(saga.definition, saga.definitionVersion));
  }
}

const versionedName = (definition: string, version: number): string => `${definition} v${version}`;
