/** The variables of the sandbox. */
import { Port, ProcessEnvironment } from '@shop/service';
import { IsOptional, IsString } from 'class-validator';

export class SandboxEnvironment extends ProcessEnvironment {
  @Port() SANDBOX_PORT = 3009;
  /** Where the books are kept; without it they are lost when the process ends. */
  @IsOptional() @IsString() SANDBOX_FILE?: string;
}
