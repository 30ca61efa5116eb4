/**
 * Answers a Problem completely, with its headers and as problem+json. Nest alone sends only the body, so a client would
 * not know when to repeat the request. A filter that the service sets comes before this one.
 */
import { type ArgumentsHost, Catch, type ExceptionFilter } from '@nestjs/common';
import { Problem } from '@shop/problem';
import type { FastifyReply } from 'fastify';

@Catch(Problem)
export class ProblemAnswers implements ExceptionFilter<Problem> {
  catch(problem: Problem, host: ArgumentsHost): void {
    if (host.getType() !== 'http') throw problem;
    void host
      .switchToHttp()
      .getResponse<FastifyReply>()
      .status(problem.getStatus())
      .headers(problem.headers)
      .type('application/problem+json')
      .send(JSON.stringify(problem.body));
  }
}
