import type { ByteSource } from '../byte-source.ts';
import type { FormatReport, ModelFinding } from '../model-finding.ts';
import type { ReadContext } from '../read-context.ts';
import { type Field, ProtobufError, ProtobufWalker } from './protobuf.ts';

/** Field numbers of saved_model.proto, meta_graph.proto, graph.proto, function.proto, node_def.proto. */
const SAVED_MODEL = { metaGraphs: 2 } as const;
const META_GRAPH = { graph: 2 } as const;
const GRAPH = { node: 1, library: 2 } as const;
const LIBRARY = { function: 1 } as const;
const FUNCTION = { node: 3 } as const;
const NODE = { op: 2 } as const;

const words = (text: string): string[] => text.trim().split(/\s+/);

/** Operators that call Python, or read and write what their inputs name: files, sockets, databases. */
const DANGEROUS_OPERATORS: ReadonlySet<string> = new Set(
  words(`ReadFile WriteFile MatchingFiles DeleteFile PyFunc PyFuncStateless EagerPyFunc WholeFileReader WholeFileReaderV2
    TextLineReader TextLineReaderV2 FixedLengthRecordReader FixedLengthRecordReaderV2 TFRecordReader TFRecordReaderV2
    LMDBReader LMDBDataset SqlDataset TextLineDataset TFRecordDataset TFRecordDatasetV2 FixedLengthRecordDataset
    FixedLengthRecordDatasetV2 CSVDataset CSVDatasetV2 SaveDataset SaveDatasetV2 LoadDataset SnapshotDataset
    SnapshotDatasetV2 DatasetFromGraph DataServiceDataset DataServiceDatasetV2 DataServiceDatasetV3
    DataServiceDatasetV4 RegisterDataset RegisterDatasetV2 RpcCall RpcClient RpcServer RpcServerStart
    DebugIdentity DebugIdentityV2 DebugIdentityV3 DebugNanCount DebugNumericSummary ImportEvent WriteRawProtoSummary
    CreateSummaryFileWriter CreateSummaryDbWriter WriteScalarSummary WriteSummary WriteGraphSummary
    WriteHistogramSummary WriteImageSummary WriteAudioSummary ReaderRead ReaderReadV2 ReaderReadUpTo
    InitializeTableFromDataset TPUCompile XlaHostCompute TensorRTCreate`),
);
/** Elsewhere than in TensorFlow's own operators, a name has the library's in front: `Addons>Foo`. */
const FOREIGN_OPERATOR = /^[\w.]+>/;
const MAX_FINDINGS = 100;

/**
 * Reads the operators of a SavedModel (`saved_model.pb`) or a graph (`GraphDef`), those of its functions too.
 *
 * A graph is a program that TensorFlow runs (its SECURITY.md says so); the operators that reach files, the network and
 * Python are dangerous, and those of a library of their own are suspicious.
 */
export function readTensorflow(
  source: ByteSource,
  format: 'saved-model' | 'tensorflow-graph',
  context: ReadContext,
): FormatReport {
  const walker = new ProtobufWalker(source);
  const findings = new Map<string, ModelFinding>();
  const add = (severity: ModelFinding['severity'], rule: string, message: string, offset: number): void => {
    if (findings.size < MAX_FINDINGS && !findings.has(message)) findings.set(message, { severity, rule, message, offset });
  };
  const node = (field: Field): void => {
    for (const part of walker.fields(field.start, field.end)) {
      if (part.number !== NODE.op) continue;
      const operator = walker.text(part);
      const shown = JSON.stringify(operator.slice(0, 120)).slice(1, -1);
      if (DANGEROUS_OPERATORS.has(operator)) {
        const message = `it runs the operator ${shown}, which reaches files, the network or Python`;
        add('dangerous', 'tensorflow-operator', message, part.start);
      } else if (FOREIGN_OPERATOR.test(operator) && !isAllowed(operator, context)) {
        const message = `it runs the operator ${shown} of a library of its own; if you know it, list it in "allow-globals"`;
        add('suspicious', 'tensorflow-operator', message, part.start);
      }
    }
  };
  const graph = (start: number, end: number): void => {
    for (const part of walker.fields(start, end)) {
      if (part.number === GRAPH.node && part.wire === 'bytes') node(part);
      if (part.number !== GRAPH.library || part.wire !== 'bytes') continue;
      for (const one of walker.fields(part.start, part.end)) {
        if (one.number !== LIBRARY.function) continue;
        for (const inner of walker.fields(one.start, one.end)) if (inner.number === FUNCTION.node) node(inner);
      }
    }
  };
  try {
    if (format === 'tensorflow-graph') graph(0, source.size);
    else {
      for (const meta of walker.fields()) {
        if (meta.number !== SAVED_MODEL.metaGraphs) continue;
        for (const part of walker.fields(meta.start, meta.end))
          if (part.number === META_GRAPH.graph) graph(part.start, part.end);
      }
    }
  } catch (error) {
    if (!(error instanceof ProtobufError)) throw error;
    add('mismatch', 'tensorflow', `the graph cannot be read to its end: ${error.message}`, error.offset);
  }
  return { format, findings: [...findings.values()] };
}

function isAllowed(operator: string, { allowed }: ReadContext): boolean {
  return allowed.has(operator) || allowed.has(`${operator.split('>')[0]}.*`);
}
