/** API keys over HTTP, for administrators: those of their tenant, or with the role `platform` those of any. */
import { Body, Controller, Delete, Get, HttpCode, Param, Put, Query, Res } from '@nestjs/common';
import { ApiOperation, ApiParam, ApiPropertyOptional, ApiTags } from '@nestjs/swagger';
import { ApiAnswer, type Caller, CallerOf, type Page, PageOf, PageQuery, readPage, Roles, TENANT } from '@shop/http';
import { Idempotent } from '@shop/idempotency';
import { ApiProblems, Problem } from '@shop/problem';
import { validationFailed } from '@shop/validation';
import { IsOptional, Matches } from 'class-validator';
import type { FastifyReply } from 'fastify';
import { KEY_ID, type StoredKey, tenantFor } from './api-key';
import { ApiKeyBody, apiKeyJson, ApiKeyView } from './api-key.view';
import { ApiKeysService } from './api-keys.service';

const ofTenant = { description: 'whose keys; your own tenant, if not given', example: 'acme' };

class ApiKeyQuery {
  @ApiPropertyOptional(ofTenant)
  @IsOptional()
  @Matches(TENANT, { message: 'tenant must be 1 to 64 of A-Z a-z 0-9 _ . -' })
  tenant?: string;
}

class ApiKeysQuery extends PageQuery {
  @ApiPropertyOptional(ofTenant)
  @IsOptional()
  @Matches(TENANT, { message: 'tenant must be 1 to 64 of A-Z a-z 0-9 _ . -' })
  tenant?: string;

  @IsOptional()
  @Matches(KEY_ID, { message: 'cursor must be `next` of the page before' })
  declare cursor?: string;
}

const ApiKeyId = () => ApiParam({ name: 'id', description: 'its name within its tenant', example: 'shop-front-2026' });

@ApiTags('api keys')
@Controller('api-keys')
@Roles('admin')
export class ApiKeysController {
  constructor(private readonly keys: ApiKeysService) {}

  @Get()
  @ApiOperation({
    operationId: 'listApiKeys',
    summary: 'API keys of this service, page by page',
    description: 'In order of their ids, with those that are revoked. Keys of the environment are not among them.',
  })
  @ApiAnswer(200, PageOf(ApiKeyView), { description: 'a page' })
  list(
    @CallerOf() caller: Caller,
    @Query() { tenant: asked, cursor: after = '', limit }: ApiKeysQuery,
  ): Promise<Page<ApiKeyView>> {
    const tenant = tenantFor(caller, asked);
    const read = (limit: number) => this.keys.list({ tenant, after, limit });
    return readPage(limit, read, { item: apiKeyJson, cursor: ({ id }: Omit<StoredKey, 'sha256'>) => id });
  }

  @Put(':id')
  @Idempotent({ strategy: 'natural' })
  @ApiOperation({
    operationId: 'putApiKey',
    summary: 'Adds an API key, of which only the hash is sent',
    description:
      'It is good in all replicas of this service within seconds. The same again changes nothing. Nobody hands out a ' +
      'role that they do not have.',
  })
  @ApiKeyId()
  @ApiAnswer(201, ApiKeyView, { description: 'added' })
  @ApiAnswer(200, ApiKeyView, { description: 'as it was already' })
  @ApiProblems({
    403: ['role_not_held'],
    409: ['api_key_id_conflict', 'api_key_taken', 'api_key_revoked'],
    422: ['expires_in_the_past', 'too_many_api_keys'],
  })
  async put(
    @CallerOf() caller: Caller,
    @Param('id') id: string,
    @Query() { tenant: asked }: ApiKeyQuery,
    @Body() { expiresAt, ...body }: ApiKeyBody,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<ApiKeyView> {
    if (!KEY_ID.test(id)) throw validationFailed([{ path: 'id', message: 'must be 1 to 64 of A-Z a-z 0-9 _ . -' }]);
    const wanted = { ...body, expiresAt: expiresAt === undefined ? null : new Date(expiresAt) };
    const { key, created } = await this.keys.put(caller, { tenant: tenantFor(caller, asked), id }, wanted);
    void reply.status(created ? 201 : 200);
    return apiKeyJson(key);
  }

  @Delete(':id')
  @HttpCode(204)
  @Idempotent({ strategy: 'natural' })
  @ApiOperation({
    operationId: 'revokeApiKey',
    summary: 'Revokes an API key, for good',
    description: 'It is refused by all replicas of this service within seconds. It may be repeated.',
  })
  @ApiKeyId()
  @ApiAnswer(204, null, { description: 'revoked, now or before' })
  @ApiProblems({ 404: ['api_key_not_found'] })
  async revoke(
    @CallerOf() caller: Caller,
    @Param('id') id: string,
    @Query() { tenant: asked }: ApiKeyQuery,
  ): Promise<void> {
    const tenant = tenantFor(caller, asked);
    if (!KEY_ID.test(id)) throw new Problem(404, 'api_key_not_found', 'there is no such API key');
    await this.keys.revoke(caller, { tenant, id });
  }
}
