/** One way in which a server or the network before it goes wrong. */
export type Fault =
  | {
      readonly kind: 'status';
      readonly status: number;
      readonly headers?: Readonly<Record<string, string>>;
      readonly body?: string;
    }
  /** `before`: the connection is cut and nothing was done. `after`: the work was done, the answer is lost. */
  | { readonly kind: 'reset'; readonly when: 'before' | 'after' }
  /** The connection stays open and no answer ever comes. */
  | { readonly kind: 'stall' }
  | { readonly kind: 'delay'; readonly milliseconds: number }
  /** The answer has its right length and headers, and one byte of its body is flipped. */
  | { readonly kind: 'wrong-bytes' }
  /** The answer's headers promise the whole body; the connection is cut after this many bytes of it. */
  | { readonly kind: 'cut'; readonly bytes: number };

export interface FaultRule {
  readonly fault: Fault;
  /** Tested on `METHOD /path?query`; every request when absent. */
  readonly match?: RegExp;
  /** How many matching requests pass unharmed before the rule begins; 0 when absent. */
  readonly after?: number;
  /** How many requests the rule harms; 1 when absent, `Infinity` for ever. */
  readonly times?: number;
}

export interface FaultRules {
  add(rule: FaultRule): void;
  clear(): void;
  /** What happens to this request: all delays that apply, and the first other fault. Uses up one time of each. */
  take(method: string, path: string): { readonly delay: number; readonly fault?: Exclude<Fault, { kind: 'delay' }> };
}

export function createFaultRules(): FaultRules {
  let rules: { rule: FaultRule; seen: number; used: number }[] = [];
  return {
    add: (rule) => {
      rules.push({ rule, seen: 0, used: 0 });
    },
    clear: () => {
      rules = [];
    },
    take: (method, path) => {
      let delay = 0;
      let fault: Exclude<Fault, { kind: 'delay' }> | undefined;
      for (const entry of rules) {
        const { rule } = entry;
        // A second fault for the same request waits for the next one, so that two rules of one time harm two requests.
        if (rule.fault.kind !== 'delay' && fault !== undefined) continue;
        if (!matches(rule.match, `${method} ${path}`)) continue;
        entry.seen += 1;
        if (entry.seen <= (rule.after ?? 0) || entry.used >= (rule.times ?? 1)) continue;
        entry.used += 1;
        if (rule.fault.kind === 'delay') delay += rule.fault.milliseconds;
        else fault = rule.fault;
      }
      return fault === undefined ? { delay } : { delay, fault };
    },
  };
}

function matches(pattern: RegExp | undefined, text: string): boolean {
  if (pattern === undefined) return true;
  // A global or sticky expression remembers where it stopped: the same request would match only every other time.
  return new RegExp(pattern.source, pattern.flags.replace(/[gy]/g, '')).test(text);
}
