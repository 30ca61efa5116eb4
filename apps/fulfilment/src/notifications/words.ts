/** The words of the mails in each language that they can be written in. A language that is not here is written to in English. */
import type { Template } from './notification';

/** What stands in a mail of one kind. `{id}` is the order, `{amount}` a sum of money. */
export interface MailWords {
  subject: string;
  heading: string;
  body: string;
}

export interface Words {
  /** `{name}` is the customer. */
  greeting: string;
  mails: Record<Template, MailWords>;
  /** In the place of an amount that nobody has told. */
  money: string;
  order: string;
  total: string;
  goods: string;
  reason: string;
  tracking: string;
  /** The codes of the order service. Others are not shown. */
  reasons: Record<string, string>;
  footer: string;
}

const en: Words = {
  greeting: 'Hello {name},',
  mails: {
    'order-confirmed': {
      subject: 'Your order is confirmed: {id}',
      heading: 'Your order is confirmed',
      body: 'Thank you for your order. It is paid, and we are getting it ready.',
    },
    'order-cancelled': {
      subject: 'Your order is cancelled: {id}',
      heading: 'Your order is cancelled',
      body: 'Your order will not be delivered. If you have paid already, you get your money back.',
    },
    'payment-refunded': {
      subject: 'Money back for your order: {id}',
      heading: 'You get {amount} back',
      body: 'We have sent the money back to you. Your bank may need a few days until you see it.',
    },
    'order-delivered': {
      subject: 'Your order is delivered: {id}',
      heading: 'Your order is delivered',
      body: 'The carrier has told us that your order has arrived.',
    },
  },
  money: 'your money',
  order: 'Order',
  total: 'Amount',
  goods: 'Goods',
  reason: 'Reason',
  tracking: 'Tracking number',
  reasons: {
    out_of_stock: 'not in stock any more',
    payment_declined: 'the payment was declined',
    reservation_expired: 'the payment came too late',
    timed_out: 'it took too long',
    cancelled_by_client: 'cancelled on request',
  },
  footer: 'This mail was written by a program. Please do not answer it.',
};

const de: Words = {
  greeting: 'Guten Tag {name},',
  mails: {
    'order-confirmed': {
      subject: 'Ihre Bestellung ist bestätigt: {id}',
      heading: 'Ihre Bestellung ist bestätigt',
      body: 'Vielen Dank für Ihre Bestellung. Sie ist bezahlt, und wir machen sie bereit.',
    },
    'order-cancelled': {
      subject: 'Ihre Bestellung ist storniert: {id}',
      heading: 'Ihre Bestellung ist storniert',
      body: 'Ihre Bestellung wird nicht geliefert. Haben Sie schon bezahlt, bekommen Sie Ihr Geld zurück.',
    },
    'payment-refunded': {
      subject: 'Geld zurück für Ihre Bestellung: {id}',
      heading: 'Sie bekommen {amount} zurück',
      body: 'Wir haben Ihnen das Geld zurückgeschickt. Bis Sie es sehen, braucht Ihre Bank vielleicht einige Tage.',
    },
    'order-delivered': {
      subject: 'Ihre Bestellung ist geliefert: {id}',
      heading: 'Ihre Bestellung ist geliefert',
      body: 'Der Paketdienst hat uns gemeldet, dass Ihre Bestellung angekommen ist.',
    },
  },
  money: 'Ihr Geld',
  order: 'Bestellung',
  total: 'Betrag',
  goods: 'Waren',
  reason: 'Grund',
  tracking: 'Sendungsnummer',
  reasons: {
    out_of_stock: 'nicht mehr auf Lager',
    payment_declined: 'die Zahlung wurde abgelehnt',
    reservation_expired: 'die Zahlung kam zu spät',
    timed_out: 'es hat zu lange gedauert',
    cancelled_by_client: 'auf Wunsch storniert',
  },
  footer: 'Ein Programm hat diese Mail geschrieben. Bitte antworten Sie nicht darauf.',
};

const fr: Words = {
  greeting: 'Bonjour {name},',
  mails: {
    'order-confirmed': {
      subject: 'Votre commande est confirmée : {id}',
      heading: 'Votre commande est confirmée',
      body: 'Merci pour votre commande. Elle est payée, et nous la préparons.',
    },
    'order-cancelled': {
      subject: 'Votre commande est annulée : {id}',
      heading: 'Votre commande est annulée',
      body: 'Votre commande ne sera pas livrée. Si vous avez déjà payé, vous serez remboursé.',
    },
    'payment-refunded': {
      subject: 'Remboursement de votre commande : {id}',
      heading: 'Nous vous remboursons {amount}',
      body: 'Nous vous avons renvoyé l’argent. Votre banque peut mettre quelques jours à le montrer.',
    },
    'order-delivered': {
      subject: 'Votre commande est livrée : {id}',
      heading: 'Votre commande est livrée',
      body: 'Le transporteur nous a dit que votre commande est arrivée.',
    },
  },
  money: 'votre argent',
  order: 'Commande',
  total: 'Montant',
  goods: 'Articles',
  reason: 'Raison',
  tracking: 'Numéro de suivi',
  reasons: {
    out_of_stock: 'plus en stock',
    payment_declined: 'le paiement a été refusé',
    reservation_expired: 'le paiement est arrivé trop tard',
    timed_out: 'cela a pris trop de temps',
    cancelled_by_client: 'annulée à la demande',
  },
  footer: 'Ce message a été écrit par un programme. Merci de ne pas y répondre.',
};

const languages: Record<string, Words> = { en, de, fr };

/** The words for a language tag such as `de-AT`, and the tag in which numbers are written beside them. */
export function wordsFor(locale: string): { words: Words; tag: string } {
  const language = locale.toLowerCase().split('-')[0]!;
  const words = Object.hasOwn(languages, language) ? languages[language] : undefined;
  return words ? { words, tag: isTag(locale) ? locale : language } : { words: en, tag: 'en' };
}

/** A profile may have one that looks like a tag and is none. */
function isTag(locale: string): boolean {
  try {
    return Intl.getCanonicalLocales(locale).length === 1;
  } catch {
    return false;
  }
}
