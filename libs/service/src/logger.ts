/** The token under which the parts of a service get its log. */
export const LOGGER = Symbol('LOGGER');
