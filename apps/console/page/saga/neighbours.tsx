/** What surrounds a saga: its order, payment, reservation and delivery, each from its own service, which may be away. */
import type { Page } from '../answers';
import { Shown } from '../parts/notice';
import { Id, Status, When } from '../parts/words';
import { sayMoney } from '../say';
import { useAsked } from '../use-asked';

interface Order {
  id: string;
  customerId: string;
  status: string;
  reason?: string;
  items: { sku: string; quantity: number }[];
  total: { amount: number; currency: string };
  createdAt: string;
}

interface Payment {
  id: string;
  status: string;
  amount: number;
  currency: string;
  captured: number;
  refunded: number;
  declineReason: string | null;
  providerReference: string | null;
}

interface Reservation {
  id: string;
  status: string;
  lines: { sku: string; quantity: number }[];
  expiresAt?: string;
}

interface Refund {
  id: string;
  status: string;
  amount: number;
  createdAt: string;
}

interface Delivery {
  id: string;
  status: string;
  trackingNumber: string | null;
}

interface Props {
  orderId: string | undefined;
  /** How often the saga has moved: after a move, all of them may be others. */
  moves: number;
}

interface PartProps {
  path: string;
  moves: number;
}

export function Neighbours({ orderId, moves }: Props) {
  if (orderId === undefined) return null;
  const id = encodeURIComponent(orderId);
  return (
    <section className="card" aria-label="what surrounds it">
      <OrderFacts path={`/api/order/orders/${id}`} moves={moves} />
      <PaymentFacts path={`/api/payment/payments?orderId=${id}&limit=5`} moves={moves} />
      <ReservationFacts path={`/api/inventory/reservations/${id}`} moves={moves} />
      <DeliveryFacts path={`/api/fulfilment/deliveries?orderId=${id}&limit=5`} moves={moves} />
    </section>
  );
}

const linesOf = (lines: readonly { sku: string; quantity: number }[]): string =>
  lines.map(({ sku, quantity }) => `${quantity} × ${sku}`).join(', ');

function OrderFacts({ path, moves }: PartProps) {
  return (
    <>
      <h2>Order</h2>
      <Shown asked={useAsked<Order>(path, { version: moves })} what="The order">
        {({ customerId, status, reason, items, total, createdAt }) => (
          <p className="fact">
            <Status of={status} /> {linesOf(items)} · <strong>{sayMoney(total.amount, total.currency)}</strong>
            <br />
            <span className="quiet">
              for {customerId}, <When at={createdAt} />
              {reason && ` · ${reason}`}
            </span>
          </p>
        )}
      </Shown>
    </>
  );
}

function PaymentFacts({ path, moves }: PartProps) {
  return (
    <>
      <h2>Payment</h2>
      <Shown asked={useAsked<Page<Payment>>(path, { version: moves })} what="The payment">
        {({ items }) =>
          items.length === 0 ? (
            <p className="quiet">There is none.</p>
          ) : (
            items.map((payment) => <OnePayment key={payment.id} payment={payment} moves={moves} />)
          )
        }
      </Shown>
    </>
  );
}

function OnePayment({ payment, moves }: { payment: Payment; moves: number }) {
  const { id, status, amount, currency, captured, refunded, declineReason, providerReference } = payment;
  const refunds = useAsked<Page<Refund>>(refunded > 0 ? `/api/payment/payments/${id}/refunds` : undefined, {
    version: moves,
  });
  return (
    <div className="fact">
      <Status of={status} /> <strong>{sayMoney(amount, currency)}</strong>, taken {sayMoney(captured, currency)}, given
      back {sayMoney(refunded, currency)}
      {declineReason && <em> · {declineReason}</em>}
      <br />
      <span className="quiet">
        <Id of={id} /> {providerReference && <Id of={providerReference} />}
      </span>
      <ul className="list">
        {refunds.value?.items.map((refund) => (
          <li key={refund.id}>
            refund {sayMoney(refund.amount, currency)}, {refund.status}, <When at={refund.createdAt} />
          </li>
        ))}
      </ul>
    </div>
  );
}

function ReservationFacts({ path, moves }: PartProps) {
  const asked = useAsked<Reservation>(path, { version: moves });
  return (
    <>
      <h2>Reservation</h2>
      {asked.refusal?.status === 404 ? (
        <p className="quiet">There is none.</p>
      ) : (
        <Shown asked={asked} what="The reservation">
          {({ status, lines, expiresAt }) => (
            <p className="fact">
              <Status of={status} /> {linesOf(lines)}
              {status === 'open' && expiresAt && (
                <span className="quiet">
                  {' '}
                  · until <When at={expiresAt} />
                </span>
              )}
            </p>
          )}
        </Shown>
      )}
    </>
  );
}

function DeliveryFacts({ path, moves }: PartProps) {
  return (
    <>
      <h2>Delivery</h2>
      <Shown asked={useAsked<Page<Delivery>>(path, { version: moves })} what="The delivery">
        {({ items }) =>
          items.length === 0 ? (
            <p className="quiet">There is none.</p>
          ) : (
            items.map(({ id, status, trackingNumber }) => (
              <p key={id} className="fact">
                <Status of={status} /> {trackingNumber ?? 'no tracking number yet'}
              </p>
            ))
          )
        }
      </Shown>
    </>
  );
}
