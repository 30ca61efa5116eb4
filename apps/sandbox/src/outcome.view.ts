/** What an admin route has made of an object of the provider. */
import { ApiProperty, ApiSchema } from '@nestjs/swagger';

@ApiSchema({ name: 'Outcome', description: 'An object of the provider, as it is now.' })
export class OutcomeView {
  @ApiProperty({ example: 'pi_3f0c9d' })
  id: string;

  @ApiProperty({ description: 'in the words of Stripe', example: 'succeeded' })
  status: string;
}
