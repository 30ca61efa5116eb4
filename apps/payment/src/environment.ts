/** The variables of the payment service. */
import {
  Count,
  HttpUrl,
  IsDataKeys,
  IsNeighbourKey,
  IsWebhookSecrets,
  Port,
  PostgresUrl,
  ServiceEnvironment,
} from '@shop/service';
import { IsIn, IsOptional, IsString, Matches, ValidateIf } from 'class-validator';
import { authorizationPolicies } from './payments/waiting-payments';

const forStripe = ({ PAYMENT_PROVIDER }: PaymentEnvironment) => PAYMENT_PROVIDER === 'stripe';

export class PaymentEnvironment extends ServiceEnvironment {
  @Port() PAYMENT_PORT = 3002;
  @PostgresUrl() PAYMENT_DATABASE_URL: string;
  /** Its content is the password, which may change at any time. */
  @IsOptional() @IsString() PAYMENT_DATABASE_PASSWORD_FILE?: string;
  /** The role that owns the tables; only migrations use it. */
  @IsOptional() @PostgresUrl() PAYMENT_MIGRATION_DATABASE_URL?: string;
  @IsOptional() @IsString() PAYMENT_MIGRATION_DATABASE_PASSWORD_FILE?: string;
  /** The keys that the tokens of cards are sealed with. The order service needs the same ones. */
  @IsDataKeys() DATA_KEYS?: string;
  @IsOptional() @IsString() DATA_KEYS_FILE?: string;
  /** `simulated` takes no money. It answers by itself, for development and measurements. */
  @IsIn(['stripe', 'simulated']) PAYMENT_PROVIDER: 'stripe' | 'simulated';
  @ValidateIf(forStripe) @IsString() STRIPE_API_KEY: string;
  /** The address of the provider's API. The default is the provider's own address. */
  @ValidateIf(({ STRIPE_BASE_URL }: PaymentEnvironment) => STRIPE_BASE_URL !== undefined)
  @Matches(/^https?:\/\/\S+$/, { message: 'must look like http://host:port' })
  STRIPE_BASE_URL?: string;
  /** The provider signs its events with one of them. Without any, no event is taken. */
  @IsWebhookSecrets() STRIPE_WEBHOOK_SECRETS?: string;
  @IsOptional() @IsString() STRIPE_WEBHOOK_SECRETS_FILE?: string;
  /**
   * Where the page of a bank sends the customer afterwards. Without it, a card whose bank wants to ask the customer is
   * declined.
   */
  @ValidateIf(({ PAYMENT_RETURN_URL }: PaymentEnvironment) => PAYMENT_RETURN_URL !== undefined)
  @Matches(/^https?:\/\/\S+$/, { message: 'must look like https://shop.example/thanks' })
  PAYMENT_RETURN_URL?: string;
  /** How long a customer may take to approve a payment. Its goods are reserved meanwhile. */
  @Count() PAYMENT_APPROVAL_SECONDS = 900;
  /** How long a bank may take to carry out a payment. After that, it is not wanted any more. */
  @Count() PAYMENT_PROCESSING_SECONDS = 86_400;
  /** How long before its end it is told that money which is held will be free again. */
  @Count() PAYMENT_AUTHORIZATION_WARNING_SECONDS = 86_400;
  /** What is done about it then: `keep` waits for a capture, `release` gives it up. */
  @IsIn(authorizationPolicies) PAYMENT_AUTHORIZATION_POLICY: (typeof authorizationPolicies)[number] = 'keep';
  /** Where the order service listens, which is asked what to invoice, and the key that it knows. */
  @IsOptional() @HttpUrl() ORDER_URL?: string;
  @IsNeighbourKey() NEIGHBOUR_KEY?: string;
  @IsOptional() @IsString() NEIGHBOUR_KEY_FILE?: string;
  /** Where the API of the tax service is, such as https://host/tax. Without it, no invoice can be made. */
  @IsOptional() @HttpUrl() TAX_URL?: string;
  /** What this service shows to it. */
  @IsOptional() @IsString() TAX_API_KEY?: string;
}
