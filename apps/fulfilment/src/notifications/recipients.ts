/** Who gets a mail. The order service is asked for each mail. */
import type { Neighbour } from '@shop/service';
import { IsEmail, IsString, MaxLength } from 'class-validator';
import { readProfile } from '../orders/read-profile';
import type { Reader } from './templates';

export interface Recipient extends Reader {
  email: string;
}

/** What is used of a profile. Its limits are those of the order service. */
export class SeenProfile implements Recipient {
  @IsString() @MaxLength(100) id: string;
  @IsString() @MaxLength(100) displayName: string;
  @IsEmail() @MaxLength(254) email: string;
  @IsString() @MaxLength(35) locale: string;
}

export interface Recipients {
  /** Undefined when the customer has no profile, or none any more. @throws RetryableError when nobody can tell now */
  find(tenant: string, customerId: string): Promise<Recipient | undefined>;
}

export class ProfiledRecipients implements Recipients {
  constructor(private readonly order: Pick<Neighbour, 'read'>) {}

  find(tenant: string, customerId: string): Promise<Recipient | undefined> {
    return readProfile(this.order, { tenant, customerId }, SeenProfile);
  }
}
