/**
 * One rule of a port, to be run against every implementation of it: fakes and real ones alike. It throws an
 * AssertionError where the rule is broken; any test runner will do.
 */
export interface ComplianceCase<Port> {
  readonly rule: string;
  readonly check: (port: Port) => Promise<void>;
}
