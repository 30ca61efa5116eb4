/** Messages that were given up on, and the trials that led there. */
import type { MigrationInterface, QueryRunner } from 'typeorm';

export class CreateDeadLetters1760000002000 implements MigrationInterface {
  name = 'CreateDeadLetters1760000002000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      create table dead_letter (
        id uuid constraint dead_letter_pkey primary key,
        mailbox text not null check (length(mailbox) between 1 and 100),
        message_id text not null check (length(message_id) between 1 and 255),
        type text check (length(type) <= 200),
        saga text check (length(saga) <= 200),
        tenant text check (length(tenant) <= 64),
        readable boolean not null,
        content bytea not null check (octet_length(content) <= 1048576),
        size int not null check (size >= octet_length(content)),
        deliveries int not null check (deliveries > 0),
        killed boolean not null,
        last_error text not null check (length(last_error) <= 2000),
        state text not null check (state in ('open', 'replayed', 'discarded')),
        acts jsonb not null default '[]' check (jsonb_array_length(acts) <= 100),
        first_seen_at timestamptz not null,
        last_seen_at timestamptz not null default now(),
        constraint dead_letter_message_key unique (mailbox, message_id)
      )`);
    await runner.query(
      `comment on table dead_letter is 'Messages that were given up on; one row a message, however often'`,
    );
    await runner.query(
      `comment on column dead_letter.message_id is 'The id of the message, or a hash where it has none that can be kept'`,
    );
    await runner.query(
      `comment on column dead_letter.content is 'The message as JSON, or what came in its place; cut if size is larger'`,
    );
    await runner.query(
      `comment on column dead_letter.killed is 'Its trials ended the process, so it is not run again by itself'`,
    );
    await runner.query(
      `comment on column dead_letter.acts is 'What was done about it, by whom, why and when; the newest 100'`,
    );
    await runner.query(`create index dead_letter_state on dead_letter (state, id)`);
    await runner.query(`
      create table delivery_trial (
        token uuid constraint delivery_trial_pkey primary key,
        mailbox text not null check (length(mailbox) between 1 and 100),
        message_id text not null check (length(message_id) between 1 and 255),
        failed boolean not null default false,
        leased_until timestamptz not null,
        started_at timestamptz not null default now()
      )`);
    await runner.query(
      `comment on table delivery_trial is 'Trials of suspect messages: under way, failed, or left by a process that ended'`,
    );
    await runner.query(`create index delivery_trial_message on delivery_trial (mailbox, message_id)`);
  }

  async down(): Promise<void> {
    throw new Error('migrations only go forward');
  }
}
