/** This agent's own version; Health.Version reports it. */
export const AGENT_VERSION = "0.1.0";

/** The version of the Kata 1.x agent API that we serve. */
export const API_VERSION = "0.0.1";
