/** The name that a client gives its cart. */

export const CART_ID = /^[\w-]{1,64}$/;
