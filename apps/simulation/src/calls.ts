/** The requests of one client that are under way. The connection of each breaks when its process is killed. */
import { Problem } from '@shop/problem';
import type { Process, Stage } from './stage';

export class Calls {
  private open: { process: Process; hangUp: () => void }[] = [];

  constructor(
    private readonly stage: Stage,
    private readonly name: string,
  ) {}

  get count(): number {
    return this.open.length;
  }

  /** The client does not know what became of its request. */
  hangUpOn(process: Process): void {
    for (const call of this.open) if (call.process === process) call.hangUp();
  }

  /** Resolves without a result when the request fails or its connection breaks. */
  async make<T>(process: Process, method: string, work: () => Promise<T>): Promise<T | undefined> {
    let hangUp!: () => void;
    const broken = new Promise<undefined>((resolve) => (hangUp = () => resolve(undefined)));
    const call = { process, hangUp };
    this.open.push(call);
    const done = work().catch((error: Error) => {
      this.stage.note(`${method} fails, ${error instanceof Problem ? error.code : error.message}`);
      return undefined;
    });
    const result = await Promise.race([done, broken]);
    this.open = this.open.filter((one) => one !== call);
    this.stage.note(`${this.name} is through with its ${method}`);
    return result;
  }
}
