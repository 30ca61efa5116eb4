/** What the OpenAPI document of every service has without anybody's doing. */
import 'reflect-metadata';
import { Body, Controller, Get, Module, Post, Query } from '@nestjs/common';
import { ApiProperty, type OpenAPIObject } from '@nestjs/swagger';
import { createLogger } from '@shop/observability';
import { ApiProblems } from '@shop/problem';
import { IsInt, Matches, Max } from 'class-validator';
import { ApiAnswer } from './api-answers';
import { parseApiKeys, Roles } from './api-keys';
import { createHttpApp } from './http-app';
import { PageOf } from './page-of';
import { PageQuery } from './page.query';

class CupView {
  @ApiProperty({ example: 7 })
  size: number;
}

class CupBody {
  @ApiProperty({ example: 7 })
  @IsInt()
  @Max(9)
  size: number;

  @ApiProperty({ example: 'blue' })
  @Matches(/^[a-z]+$/i)
  colour: string;
}

@Controller('cups')
@Roles('customer')
class CupsController {
  @Get()
  @ApiAnswer(200, PageOf(CupView), { description: 'a page' })
  list(@Query() page: PageQuery) {
    return page;
  }

  @Post()
  @Roles('operator')
  @ApiAnswer(201, CupView, { description: 'made', headers: ['etag'] })
  @ApiProblems({ 409: ['cup_broken'] })
  @ApiProblems({ 409: { cup_taken: { by: { type: 'string', example: 'alice' } } } })
  make(@Body() cup: CupBody) {
    return cup;
  }
}

@Module({ controllers: [CupsController] })
class CupsModule {}

let document: OpenAPIObject;

beforeAll(async () => {
  const app = await createHttpApp(CupsModule, {
    title: 'Cups',
    description: 'A service for this test.',
    logger: createLogger({ service: 'cups', level: 'silent', format: 'json' }),
    apiKeys: parseApiKeys('key=acme/carl:customer'),
  });
  await app.init();
  document = JSON.parse((await app.inject({ url: '/openapi.json' })).body) as OpenAPIObject;
  await app.close();
});

const post = () => document.paths['/cups']!.post!;
const codesOf = (response: unknown) => /"enum":(\["[^\]]*\])/.exec(JSON.stringify(response))?.[1];

describe('R24 the OpenAPI document', () => {
  it('R24 tells the codes of a route by status, wherever they were declared', () => {
    expect(codesOf(post().responses['409'])).toBe('["cup_taken","cup_broken"]');
    expect(post().responses['409']).toMatchObject({
      content: { 'application/problem+json': { examples: { cup_taken: { value: { status: 409, by: 'alice' } } } } },
    });
    expect(codesOf(post().responses['403'])).toBe('["forbidden","token_incomplete"]');
  });

  it('R24 tells for every route what can be wrong with any request', () => {
    const statuses = ['201', '400', '401', '403', '409', '413', '415', '429', '500', '503'];
    expect(Object.keys(post().responses)).toEqual(statuses);
    const ofAnyRoute = ['200', '400', '401', '403', '429', '500', '503'];
    expect(Object.keys(document.paths['/cups']!.get!.responses)).toEqual(ofAnyRoute);
    const wrong = codesOf(document.paths['/cups']!.get!.responses['400']);
    expect(wrong).toBe('["malformed_request","validation_failed","shop_tenant_invalid"]');
  });

  it('R24 has the limits of the checks, but no expression that needs flags', () => {
    expect(document.components!.schemas!['CupBody']).toMatchObject({
      properties: { size: { type: 'integer', maximum: 9 }, colour: { type: 'string', example: 'blue' } },
    });
    expect(JSON.stringify(document.components!.schemas!['CupBody'])).not.toContain('pattern');
  });

  it('R24 shows each body by an example made from those of its properties', () => {
    expect(post().requestBody).toMatchObject({
      content: { 'application/json': { example: { size: 7, colour: 'blue' } } },
    });
    expect(document.paths['/cups']!.get!.responses['200']).toMatchObject({
      content: { 'application/json': { example: { items: [{ size: 7 }], next: null } } },
    });
  });
});
