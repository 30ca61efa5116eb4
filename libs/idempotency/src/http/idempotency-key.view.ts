/** A key as its owner sees it. */
import { ApiProperty, ApiPropertyOptional, ApiSchema } from '@nestjs/swagger';
import type { KeyState } from '../ledger/ledger';

const keyStates = ['processing', 'completed', 'erased'] as const satisfies KeyState['state'][];

@ApiSchema({ name: 'KeyedRequest', description: 'A request that was sent with the key.' })
export class KeyedRequestView {
  @ApiProperty({ description: 'method and path of the route', example: 'POST /orders' })
  route: string;

  @ApiProperty({
    enum: keyStates,
    description: 'erased: it was carried out, and its answer is no longer kept',
    example: 'completed',
  })
  state: KeyState['state'];

  @ApiPropertyOptional({ type: 'integer', description: 'the status of the kept answer', example: 201 })
  answerStatus?: number;

  @ApiProperty({ format: 'date-time', example: '2026-03-01T12:00:00.000Z' })
  createdAt: string;

  @ApiPropertyOptional({ format: 'date-time', example: '2026-03-01T12:00:00.250Z' })
  completedAt?: string;

  @ApiPropertyOptional({
    format: 'date-time',
    description: 'when the answer is forgotten; a request that is under way has no such time',
    example: '2026-03-04T12:00:00.250Z',
  })
  expiresAt?: string;
}

@ApiSchema({ name: 'IdempotencyKey', description: 'A key, and every request that was sent with it.' })
export class IdempotencyKeyView {
  @ApiProperty({ example: '01a20621-a6cd-74b9-a1c3-459d717a98c4' })
  key: string;

  @ApiProperty({ type: [KeyedRequestView] })
  requests: KeyedRequestView[];
}
