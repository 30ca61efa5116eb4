/** Sagas are written by `decide` and their definitions, which bound each of these; docs/adr/0018 tells why nobody asks twice. */
import type { MigrationInterface, QueryRunner } from 'typeorm';

export class DropSagaShapeChecks1760000001002 implements MigrationInterface {
  name = 'DropSagaShapeChecks1760000001002';

  async up(runner: QueryRunner): Promise<void> {
    // No row of these two tables can be wrong in itself; that each version of a saga is made once, the key of its history sees to.
    await runner.query(`
      alter table saga
        drop constraint saga_action_check,
        drop constraint saga_attempt_check,
        drop constraint saga_definition_check,
        drop constraint saga_definition_version_check,
        drop constraint saga_reason_check,
        drop constraint saga_status_check,
        drop constraint saga_step_check,
        drop constraint saga_traceparent_check,
        drop constraint saga_version_check`);
    await runner.query(`
      alter table saga_history
        drop constraint saga_history_event_check,
        drop constraint saga_history_seq_check`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`
      alter table saga
        add constraint saga_action_check check (action in ('do', 'undo')),
        add constraint saga_attempt_check check (attempt > 0),
        add constraint saga_definition_check check (length(definition) between 1 and 100),
        add constraint saga_definition_version_check check (definition_version > 0),
        add constraint saga_reason_check check (length(reason) <= 100),
        add constraint saga_status_check check (status in ('running', 'compensating', 'completed', 'compensated', 'parked')),
        add constraint saga_step_check check (length(step) between 1 and 100),
        add constraint saga_traceparent_check check (length(traceparent) = 55),
        add constraint saga_version_check check (version > 0)`);
    await runner.query(`
      alter table saga_history
        add constraint saga_history_event_check check (length(event) between 1 and 100),
        add constraint saga_history_seq_check check (seq > 0)`);
  }
}
