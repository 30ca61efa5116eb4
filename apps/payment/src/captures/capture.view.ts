/** A capture as operators see it, and the answer to the request that made it. */
import { ApiProperty, ApiSchema } from '@nestjs/swagger';
import { type Answer, answerWith, refusalOf } from '@shop/idempotency';
import { Problem } from '@shop/problem';
import { type Capture, type CaptureStatus, captureStatuses, pathOf } from './capture';

@ApiSchema({ name: 'Capture', description: 'Money that was held, and was taken, or was to be.' })
export class CaptureView implements Omit<Capture, 'tenant'> {
  @ApiProperty({ example: 'cap_Zl0hCg4y1mPpYvHnR1xk7Jd2sQw' })
  id: string;

  @ApiProperty({ example: 'pmt_u0cvXt9NcH0r3cRGqAAAJ2fBYvM' })
  paymentId: string;

  @ApiProperty({ type: 'integer', description: 'minor units of the currency of the payment', example: 1_200 })
  amount: number;

  @ApiProperty({ description: 'nothing more is taken after it', example: false })
  final: boolean;

  @ApiProperty({ enum: captureStatuses, description: 'pending: the outcome is not known', example: 'succeeded' })
  status: CaptureStatus;

  @ApiProperty({ format: 'date-time', example: '2026-03-01T12:00:00.000Z' })
  createdAt: string;
}

export function captureJson({ tenant: _tenant, ...seen }: Capture): CaptureView {
  return seen;
}

/**
 * What `POST /payments/{id}/captures` answers for a capture whose outcome is known.
 * @param isGone the provider does not hold the money any more
 */
export function answerOfCapture(capture: Capture, isGone: boolean): Answer {
  const location = pathOf(capture);
  if (capture.status === 'succeeded') return answerWith(201, captureJson(capture), { location });
  const extensions = { captureId: capture.id, statusUrl: location };
  return refusalOf(
    isGone
      ? new Problem(409, 'authorization_expired', 'the money is not held any more; what was captured before stays', {
          extensions,
        })
      : new Problem(422, 'capture_refused', 'the provider refused the capture, and nothing was taken', { extensions }),
  );
}
