/** The name under which a service's parts get its log. */
export const LOGGER = Symbol('LOGGER');
