/** What names and numbers may look like, the same at every door. */

/** Stock keeping unit: up to 64 letters, digits and `. _ -`. */
export const SKU = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;
export const TENANT = /^[\w.-]{1,64}$/;
/** ISO 4217. */
export const CURRENCY = /^[A-Z]{3}$/;
/** An order is one transaction in three databases; this keeps each of them small. */
export const MAX_LINES = 100;
export const MAX_QUANTITY = 1_000_000;
