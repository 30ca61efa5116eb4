/** Reads from the order service where a parcel is sent. Nothing of it is kept here. */
import type { Neighbour } from '@shop/service';
import { IsText } from '@shop/validation';
import { Type } from 'class-transformer';
import { IsOptional, Matches, ValidateNested } from 'class-validator';
import { readProfile } from '../orders/read-profile';
import type { Recipient } from './carrier';

/** Its limits are those of the order service. */
class SeenAddress {
  @IsOptional() @IsText(100) recipient?: string | null;
  @IsText(200) line1: string;
  @IsOptional() @IsText(200) line2?: string | null;
  @IsOptional() @IsText(20) postalCode?: string | null;
  @IsText(100) city: string;
  @IsOptional() @IsText(100) region?: string | null;
  @Matches(/^[A-Z]{2}$/) country: string;
}

/** What the carrier needs of a profile. */
class SeenProfile {
  @IsText(100) id: string;
  @IsText(100) displayName: string;
  @IsOptional() @ValidateNested() @Type(() => SeenAddress) address?: SeenAddress | null;
}

export class Recipients {
  constructor(private readonly order: Pick<Neighbour, 'read'>) {}

  /** Undefined when no address is known, or no profile. @throws RetryableError when the order service does not tell */
  async read(tenant: string, customerId: string | null): Promise<Recipient | undefined> {
    if (customerId === null) return undefined;
    const profile = await readProfile(this.order, { tenant, customerId }, SeenProfile);
    return profile?.address ? recipientOf(profile.displayName, profile.address) : undefined;
  }
}

function recipientOf(displayName: string, address: SeenAddress): Recipient {
  const { recipient, line1, line2, postalCode, city, region, country } = address;
  return {
    name: recipient ?? displayName,
    address: {
      line1,
      line2: line2 ?? undefined,
      postalCode: postalCode ?? undefined,
      city,
      region: region ?? undefined,
      country,
    },
  };
}
