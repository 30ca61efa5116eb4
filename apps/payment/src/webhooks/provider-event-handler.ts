/** Who does something about an event of the provider. An event is a hint: what it names is looked up at the provider. */
export interface ProviderEvent {
  id: string;
  type: string;
  objectId: string;
}

export interface ProviderEventHandler {
  readonly types: readonly string[];
  handle(event: ProviderEvent): Promise<'done' | 'later'>;
}
