/** Profiles over HTTP: who a customer is, in one place that can be erased. */
import { Body, Controller, Delete, Get, Headers, HttpCode, Param, Patch, Put, Query, Res } from '@nestjs/common';
import { ApiOperation, ApiParam, ApiTags } from '@nestjs/swagger';
import {
  ApiAnswer,
  ApiConditionalWrite,
  ApiMergePatch,
  type Caller,
  CallerOf,
  ConditionalGet,
  etagOf,
  type MergePatch,
  type Page,
  PageOf,
  PageQuery,
  patched,
  readPage,
  Roles,
} from '@shop/http';
import { Idempotent } from '@shop/idempotency';
import { ApiProblems } from '@shop/problem';
import { validationFailed } from '@shop/validation';
import type { FastifyReply } from 'fastify';
import { contentJson, contentOf, MAX_PROFILE_ID_LENGTH, ProfileBody, type ProfileContent } from './profile';
import type { Profile } from './profile.entity';
import { ProfileErasureView, profileJson, ProfileView } from './profile.view';
import { isProfileId, profileKey, ProfilesService } from './profiles.service';

const ApiProfileId = () => ApiParam({ name: 'id', description: 'the customerId of the orders', example: 'alice' });

@ApiTags('profiles')
@Controller('profiles')
@Roles('customer', 'operator')
export class ProfilesController {
  constructor(private readonly profiles: ProfilesService) {}

  @Get()
  @Roles('operator')
  @ApiOperation({
    operationId: 'listProfiles',
    summary: 'All profiles, page by page',
    description: 'The profiles of your tenant, in order of id.',
  })
  @ApiAnswer(200, PageOf(ProfileView), { description: 'a page' })
  list(@CallerOf() { tenant }: Caller, @Query() { cursor: after = '', limit }: PageQuery): Promise<Page<ProfileView>> {
    const read = (limit: number) => this.profiles.list({ tenant, after, limit });
    return readPage(limit, read, { item: profileJson, cursor: ({ id }) => id });
  }

  @Get(':id')
  @ConditionalGet(profileJson)
  @ApiOperation({
    operationId: 'getProfile',
    summary: 'One profile',
    description: 'A customer sees only those that its own principal has made; an operator sees all of its tenant.',
  })
  @ApiProfileId()
  @ApiAnswer(200, ProfileView, { description: 'the profile as it is now', headers: ['etag'] })
  @ApiProblems({ 404: ['profile_not_found'] })
  get(@CallerOf() caller: Caller, @Param('id') id: string): Promise<Profile> {
    return this.profiles.get(profileKey(caller, id));
  }

  @Put(':id')
  @Idempotent({ strategy: 'natural' })
  @ApiOperation({
    operationId: 'putProfile',
    summary: 'Makes a profile, or changes the version named by If-Match',
    description: 'The same content again changes nothing, so it may be repeated without If-Match.',
  })
  @ApiProfileId()
  @ApiConditionalWrite({ required: true, creates: true })
  @ApiAnswer(201, ProfileView, { description: 'made', headers: ['etag'] })
  @ApiAnswer(200, ProfileView, { description: 'changed, or as it was already', headers: ['etag'] })
  @ApiProblems({ 409: ['profile_id_conflict'] })
  async put(
    @CallerOf() caller: Caller,
    @Param('id') id: string,
    @Body() body: ProfileBody,
    @Res({ passthrough: true }) reply: FastifyReply,
    @Headers('if-match') ifMatch?: string,
    @Headers('if-none-match') ifNoneMatch?: string,
  ): Promise<ProfileView> {
    if (!isProfileId(id))
      throw validationFailed([{ path: 'id', message: `must be 1 to ${MAX_PROFILE_ID_LENGTH} characters` }]);
    const { profile, created } = await this.profiles.put(caller, id, contentOf(body), { ifMatch, ifNoneMatch });
    void reply.status(created ? 201 : 200).header('etag', etagOf(profile.version));
    return profileJson(profile);
  }

  @Patch(':id')
  @Idempotent({ strategy: 'natural' })
  @ApiOperation({
    operationId: 'patchProfile',
    summary: 'Changes a part of the version named by If-Match',
    description:
      'A JSON merge patch: what is given is changed, null takes away what need not be there, the rest stays.',
  })
  @ApiProfileId()
  @ApiMergePatch(ProfileBody)
  @ApiConditionalWrite({ required: true })
  @ApiAnswer(200, ProfileView, { description: 'changed, or as it was already', headers: ['etag'] })
  @ApiProblems({ 404: ['profile_not_found'] })
  async patch(
    @CallerOf() caller: Caller,
    @Param('id') id: string,
    @Body() patch: MergePatch,
    @Res({ passthrough: true }) reply: FastifyReply,
    @Headers('if-match') ifMatch?: string,
  ): Promise<ProfileView> {
    const apply = (current: ProfileContent) => contentOf(patched(ProfileBody, contentJson(current), patch));
    const profile = await this.profiles.patch(profileKey(caller, id), ifMatch, apply);
    void reply.header('etag', etagOf(profile.version));
    return profileJson(profile);
  }

  @Delete(':id')
  @HttpCode(200)
  @Idempotent({ strategy: 'natural' })
  @ApiOperation({
    operationId: 'eraseProfile',
    summary: 'Erases who the customer is, and says what is kept and why',
    description:
      'The profile and the carts are removed, and orders that have ended do not name the customer any more. Open orders ' +
      'are kept until they end. A customer erases what its own principal has made; an operator all of its tenant. It may ' +
      'be repeated, and answers the same.',
  })
  @ApiProfileId()
  @ApiConditionalWrite({})
  @ApiAnswer(200, ProfileErasureView, { description: 'what is gone, and what is still there' })
  @ApiProblems({ 404: ['profile_not_found'] })
  erase(
    @CallerOf() caller: Caller,
    @Param('id') id: string,
    @Headers('if-match') ifMatch?: string,
  ): Promise<ProfileErasureView> {
    return this.profiles.erase(profileKey(caller, id), ifMatch);
  }
}
