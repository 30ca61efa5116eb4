/** Notifications over HTTP, for operators. */
import { Controller, Get, HttpCode, Param, Post, Query } from '@nestjs/common';
import { ApiOperation, ApiParam, ApiPropertyOptional, ApiTags } from '@nestjs/swagger';
import { ApiAnswer, type Caller, CallerOf, type Page, PageOf, PageQuery, readPage, Roles } from '@shop/http';
import { type Claim, ClaimOf, Idempotent, type Outcome } from '@shop/idempotency';
import { ApiProblems } from '@shop/problem';
import { IsIn, IsOptional, IsUUID } from 'class-validator';
import { notificationStatuses, type NotificationStatus } from './notification';
import { notificationJson, NotificationView } from './notification.view';
import { NotificationsService } from './notifications.service';

class NotificationsQuery extends PageQuery {
  @ApiPropertyOptional({ enum: notificationStatuses, description: 'only those; all if it is absent' })
  @IsOptional()
  @IsIn(notificationStatuses)
  status?: NotificationStatus;

  @ApiPropertyOptional({ format: 'uuid', description: 'only those of this order' })
  @IsOptional()
  @IsUUID()
  orderId?: string;
}

const ApiNotificationId = () => ApiParam({ name: 'id', example: 'ntf_u0cvXt9NcH0r3cRGqAAAJ2fBYvM' });

@ApiTags('notifications')
@Controller('notifications')
@Roles('operator')
export class NotificationsController {
  constructor(private readonly notifications: NotificationsService) {}

  @Get()
  @ApiOperation({
    operationId: 'listNotifications',
    summary: 'The mails to customers, page by page',
    description: 'Those of your tenant, in order of their ids.',
  })
  @ApiAnswer(200, PageOf(NotificationView), { description: 'a page' })
  list(
    @CallerOf() { tenant }: Caller,
    @Query() { status, orderId, cursor: after = '', limit }: NotificationsQuery,
  ): Promise<Page<NotificationView>> {
    const read = (limit: number) => this.notifications.list({ tenant, status, orderId, after, limit });
    return readPage(limit, read, { item: notificationJson, cursor: ({ id }) => id });
  }

  @Get(':id')
  @ApiOperation({
    operationId: 'getNotification',
    summary: 'One mail to a customer',
    description: 'What it tells of, and what came of it. The address is in the profile of the customer only.',
  })
  @ApiNotificationId()
  @ApiAnswer(200, NotificationView, { description: 'as it is now' })
  @ApiProblems({ 404: ['notification_not_found'] })
  async get(@CallerOf() { tenant }: Caller, @Param('id') id: string): Promise<NotificationView> {
    return notificationJson(await this.notifications.get(tenant, id));
  }

  @Post(':id/retry')
  @Idempotent({ strategy: 'atomic' })
  @HttpCode(200)
  @ApiOperation({
    operationId: 'retryNotification',
    summary: 'Queues a parked mail again',
    description:
      'It begins anew, with all its attempts. Of one whose outcome is unknown the customer may get a second one, ' +
      'which has the same Message-ID.',
  })
  @ApiNotificationId()
  @ApiAnswer(200, NotificationView, { description: 'queued', headers: ['idempotent-replayed'] })
  @ApiProblems({
    404: ['notification_not_found'],
    409: { notification_not_parked: { was: { type: 'string', enum: [...notificationStatuses], example: 'sent' } } },
  })
  retry(@CallerOf() caller: Caller, @ClaimOf() claim: Claim, @Param('id') id: string): Promise<Outcome> {
    return this.notifications.retry(claim, caller, id);
  }
}
