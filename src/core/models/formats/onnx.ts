import type { ByteSource } from '../byte-source.ts';
import type { FormatReport, ModelFinding } from '../model-finding.ts';
import type { ReadContext } from '../read-context.ts';
import { type Field, ProtobufError, ProtobufWalker } from './protobuf.ts';

/** Field numbers of onnx.proto (ONNX 1.19, IR version 12). */
const MODEL = { graph: 7, opsetImport: 8, trainingInfo: 20, functions: 25 } as const;
const TRAINING = { initialization: 1, algorithm: 2 } as const;
const GRAPH = { node: 1, initializer: 5, sparseInitializer: 15 } as const;
const NODE = { opType: 4, attribute: 5, domain: 7 } as const;
const ATTRIBUTE = { tensor: 5, graph: 6, tensors: 10, graphs: 11, sparseTensor: 22, sparseTensors: 23 } as const;
const TENSOR = { dims: 1, externalData: 13, dataLocation: 14 } as const;
const SPARSE = { values: 1, indices: 2 } as const;
const FUNCTION = { name: 1, node: 7, domain: 10 } as const;

/** Domains whose operators come with the runtimes: ONNX's own and ONNX Runtime's. */
const KNOWN_DOMAIN =
  /^(?:|ai\.onnx|ai\.onnx\.ml|ai\.onnx\.training|ai\.onnx\.preview(?:\.training)?|com\.microsoft(?:\.nchwc|\.dml|\.internal\.nhwc|\.experimental)?|com\.ms\.internal\.nhwc)$/;
const PYTHON_OPERATOR = /^(?:PyOp|PythonOp|PythonOpGrad)$/;
/** Graphs inside of attributes inside of graphs. */
const MAX_DEPTH = 32;
const MAX_FINDINGS = 100;
const MAX_REFERENCES = 10_000;

/**
 * Walks an ONNX model: which files its tensors take their bytes from, and which operators are not those of ONNX.
 *
 * A location that leaves the model's folder reads or writes any file of the machine that loads it (CVE-2024-27318,
 * CVE-2025-51480). A domain that no runtime brings needs a library of its own. Source: onnx.proto and onnx/checker.cc.
 */
export function readOnnx(source: ByteSource, context: ReadContext): FormatReport {
  const reader = new OnnxReader(source, context);
  try {
    reader.readModel();
  } catch (error) {
    if (!(error instanceof ProtobufError)) throw error;
    reader.add('mismatch', 'onnx', `the model cannot be read to its end: ${error.message}`, error.offset);
  }
  return reader.report();
}

class OnnxReader {
  readonly #walker: ProtobufWalker;
  readonly #context: ReadContext;
  readonly #findings = new Map<string, ModelFinding>();
  /** Files that tensors take their bytes from, and how many bytes each must have. */
  readonly #references = new Map<string, number>();
  readonly #functionDomains = new Set<string>();
  readonly #domains = new Map<string, number>();
  #tensors = 0;
  #parameters = 0n;

  constructor(source: ByteSource, context: ReadContext) {
    this.#walker = new ProtobufWalker(source, context.budget);
    this.#context = context;
  }

  add(severity: ModelFinding['severity'], rule: string, message: string, offset: number): void {
    if (this.#findings.size < MAX_FINDINGS && !this.#findings.has(message))
      this.#findings.set(message, { severity, rule, message, offset });
  }

  report(): FormatReport {
    return {
      format: 'onnx',
      tensors: this.#tensors,
      parameters: Number(this.#parameters),
      references: [...this.#references].map(([path, bytes]) => ({ path, bytes })),
      findings: [...this.#findings.values()],
    };
  }

  readModel(): void {
    let graphs = 0;
    for (const field of this.#walker.fields()) {
      if (field.number === MODEL.graph) {
        graphs += 1;
        // A message that is there twice is merged by some readers and replaced by others.
        if (graphs === 2)
          this.add('suspicious', 'onnx', 'it holds two graphs, and readers differ in which they take', field.start);
        this.#graph(field, 0);
      } else if (field.number === MODEL.functions) this.#function(field);
      else if (field.number === MODEL.trainingInfo) {
        for (const part of this.#walker.fields(field.start, field.end))
          if (part.number === TRAINING.initialization || part.number === TRAINING.algorithm) this.#graph(part, 0);
      }
    }
    this.#judgeDomains();
  }

  #judgeDomains(): void {
    for (const [domain, offset] of this.#domains) {
      const isAllowed = [...this.#context.allowed].some((name) => name === domain || name === `${domain}.*`);
      if (KNOWN_DOMAIN.test(domain) || this.#functionDomains.has(domain) || isAllowed) continue;
      const shown = JSON.stringify(domain.slice(0, 120));
      const message = `it uses operators of the domain ${shown}, which a library of its own must bring; if you know it, list it in "allow-globals"`;
      this.add('suspicious', 'onnx-operator', message, offset);
    }
  }

  #function(field: Field): void {
    for (const part of this.#walker.fields(field.start, field.end)) {
      if (part.number === FUNCTION.node) this.#node(part, 0);
      else if (part.number === FUNCTION.domain) this.#functionDomains.add(this.#walker.text(part));
    }
  }

  #graph(field: Field, depth: number): void {
    if (depth > MAX_DEPTH) throw new ProtobufError('graphs are nested deeper than is read', field.start);
    for (const part of this.#walker.fields(field.start, field.end)) {
      if (part.number === GRAPH.node) this.#node(part, depth);
      else if (part.number === GRAPH.initializer) this.#tensor(part, true);
      else if (part.number === GRAPH.sparseInitializer) this.#sparse(part);
    }
  }

  #node(field: Field, depth: number): void {
    let domain = '';
    for (const part of this.#walker.fields(field.start, field.end)) {
      if (part.number === NODE.domain) domain = this.#walker.text(part);
      else if (part.number === NODE.opType && PYTHON_OPERATOR.test(this.#walker.text(part))) {
        const message = `it uses the operator ${this.#walker.text(part)}, which calls Python`;
        this.add('dangerous', 'onnx-operator', message, part.start);
      } else if (part.number === NODE.attribute) this.#attribute(part, depth);
    }
    if (!this.#domains.has(domain) && this.#domains.size < MAX_FINDINGS) this.#domains.set(domain, field.start);
  }

  #attribute(field: Field, depth: number): void {
    for (const part of this.#walker.fields(field.start, field.end)) {
      if (part.wire !== 'bytes') continue;
      if (part.number === ATTRIBUTE.tensor || part.number === ATTRIBUTE.tensors) this.#tensor(part, false);
      else if (part.number === ATTRIBUTE.graph || part.number === ATTRIBUTE.graphs) this.#graph(part, depth + 1);
      else if (part.number === ATTRIBUTE.sparseTensor || part.number === ATTRIBUTE.sparseTensors) this.#sparse(part);
    }
  }

  #sparse(field: Field): void {
    for (const part of this.#walker.fields(field.start, field.end))
      if (part.number === SPARSE.values || part.number === SPARSE.indices)
        this.#tensor(part, part.number === SPARSE.values);
  }

  #tensor(field: Field, isWeight: boolean): void {
    let elements = 1n;
    const external = new Map<string, string>();
    for (const part of this.#walker.fields(field.start, field.end)) {
      if (part.number === TENSOR.dims) elements *= this.#dimensions(part);
      else if (part.number === TENSOR.externalData) this.#externalData(part, external);
    }
    this.#refer(external, field.start);
    if (!isWeight) return;
    this.#tensors += 1;
    this.#parameters += elements < 1n << 62n ? elements : 0n;
  }

  /** One dimension, or all of them where the writer packed them. */
  #dimensions(field: Field): bigint {
    if (field.wire === 'varint') return field.value;
    let product = 1n;
    const bytes = Buffer.from(this.#walker.text(field), 'utf8');
    if (bytes.length !== field.end - field.start || bytes.length > 80) return 1n;
    let value = 0n;
    let shift = 0n;
    for (const byte of bytes) {
      value |= BigInt(byte & 0x7f) << shift;
      shift += 7n;
      if (byte >= 0x80) continue;
      product *= value;
      value = 0n;
      shift = 0n;
    }
    return product;
  }

  /** One of the pairs that say where a tensor's bytes stand: `location`, `offset`, `length`. */
  #externalData(field: Field, external: Map<string, string>): void {
    let key = '';
    let value = '';
    for (const part of this.#walker.fields(field.start, field.end)) {
      if (part.number === 1) key = this.#walker.text(part);
      else if (part.number === 2) value = this.#walker.text(part);
    }
    external.set(key, value);
    const why = key === 'location' ? whyOutside(value) : undefined;
    if (why === undefined) return;
    const message = `a tensor takes its bytes from ${JSON.stringify(value.slice(0, 120))}, which ${why}`;
    this.add('dangerous', 'onnx-external-data', message, field.start);
  }

  /** Remembers the file beside the model, and that it must reach to the tensor's end. */
  #refer(external: ReadonlyMap<string, string>, offset: number): void {
    const location = external.get('location');
    if (location === undefined || whyOutside(location) !== undefined) return;
    if (this.#references.size >= MAX_REFERENCES)
      throw new ProtobufError(`tensors take their bytes from more than ${MAX_REFERENCES} files`, offset);
    const [start = 0, length = 0] = ['offset', 'length'].map((key) => Number(external.get(key) ?? 0));
    if (!Number.isSafeInteger(start + length) || start < 0 || length < 0) {
      this.add('mismatch', 'onnx-external-data', 'a tensor stands at a place that no file has', offset);
      return;
    }
    this.#references.set(location, Math.max(this.#references.get(location) ?? 0, start + length));
  }
}

function whyOutside(location: string): string | undefined {
  if (location.includes('\0')) return 'holds a NUL';
  if (/^[/\\]/.test(location) || /^[A-Za-z]:/.test(location)) return 'is an absolute path';
  if (location.split(/[/\\]/).includes('..')) return "leaves the model's folder";
  if (/^[./\\]*$/.test(location)) return 'names no file';
  return /^[a-z][a-z0-9+.-]*:/i.test(location) ? 'is an address' : undefined;
}
