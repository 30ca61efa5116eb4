/** What the parameters of each request ask for. Each reader throws a StripeError 400 that names the faulty parameter. */
import { checkAmount, checkCurrency } from './currencies';
import { amountOf, flag, type Form, metadataOf, oneOf, required, text } from './form';
import type { Confirmation } from './intent-states';
import type { NewIntent } from './intents';
import { type CancellationReason, cancellationReasons, type CaptureForm, captureMethods } from './payment-intent';
import type { RefundForm } from './refund';
import { sourceOf } from './sources';
import { invalidParameter, missing } from './stripe-error';

const MAX_URL_LENGTH = 5_000;
const MULTICAPTURE = 'payment_method_options[card][request_multicapture]';
/** What is only read together with `confirm=true`. */
const CONFIRMING = ['return_url', 'error_on_requires_action'];

export function readIntent(form: Form): NewIntent {
  const currency = required(form, 'currency').toLowerCase();
  checkCurrency(currency);
  required(form, 'amount');
  const amount = amountOf(form, 'amount')!;
  checkAmount(amount, currency);
  const source = readSource(form);
  const confirms = flag(form, 'confirm') ?? false;
  if (confirms && source === undefined) required(form, 'payment_method');
  const alone = CONFIRMING.find((name) => !confirms && form[name] !== undefined);
  if (alone) throw invalidParameter(alone, `The parameter ${alone} can only be used with confirm=true.`);
  const captureMethod = oneOf(form, 'capture_method', captureMethods) ?? 'automatic_async';
  const multicapture = oneOf(form, MULTICAPTURE, ['if_available', 'never']) === 'if_available' || undefined;
  return {
    form: { amount, currency, source, metadata: metadataOf(form), captureMethod, multicapture },
    confirmation: confirms ? readConfirmation(form) : undefined,
  };
}

export function readConfirmation(form: Form): Confirmation {
  return {
    source: readSource(form),
    returnUrl: readReturnUrl(form),
    failsOnAction: flag(form, 'error_on_requires_action') ?? false,
  };
}

export function readCancellation(form: Form): CancellationReason | null {
  return oneOf(form, 'cancellation_reason', cancellationReasons) ?? null;
}

export function readCapture(form: Form): CaptureForm {
  return {
    amount: amountOf(form, 'amount_to_capture', { min: 0 }),
    final: flag(form, 'final_capture') ?? true,
    metadata: metadataOf(form),
  };
}

export function readRefund(form: Form): RefundForm {
  return {
    paymentIntent: required(form, 'payment_intent'),
    amount: amountOf(form, 'amount'),
    metadata: metadataOf(form),
  };
}

function readSource(form: Form): string | undefined {
  if (form['payment_method'] === undefined) return undefined;
  const source = required(form, 'payment_method');
  if (!sourceOf(source)) throw missing('PaymentMethod', source, { status: 400, param: 'payment_method' });
  return source;
}

function readReturnUrl(form: Form): string | undefined {
  const url = text(form, 'return_url');
  if (url === undefined) return undefined;
  if (url.length <= MAX_URL_LENGTH && /^https?:$/.test(URL.parse(url)?.protocol ?? '')) return url;
  throw invalidParameter('return_url', 'Not a valid URL');
}
