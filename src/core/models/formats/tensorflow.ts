import type { ByteSource } from '../byte-source.ts';
import type { FormatReport, ModelFinding } from '../model-finding.ts';
import type { ReadContext } from '../read-context.ts';
import { type Field, ProtobufError, ProtobufWalker } from './protobuf.ts';

/** Field numbers of saved_model.proto, meta_graph.proto, graph.proto, function.proto, node_def.proto. */
const SAVED_MODEL = { metaGraphs: 2 } as const;
const META_GRAPH = { graph: 2, assetFile: 6 } as const;
const ASSET_FILE = { name: 2 } as const;
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
  const walker = new ProtobufWalker(source, context.budget);
  const findings = new Map<string, ModelFinding>();
  const add = (finding: ModelFinding): void => {
    if (findings.size < MAX_FINDINGS && !findings.has(finding.message)) findings.set(finding.message, finding);
  };
  try {
    for (const field of operatorFields(walker, format)) {
      const finding = judgeOperator(walker.text(field), field.start, context);
      if (finding !== undefined) add(finding);
    }
    if (format === 'saved-model')
      for (const field of within(walker, [SAVED_MODEL.metaGraphs, META_GRAPH.assetFile, ASSET_FILE.name]))
        for (const finding of judgeAsset(walker.text(field), field.start)) add(finding);
  } catch (error) {
    if (!(error instanceof ProtobufError)) throw error;
    const message = `the graph cannot be read to its end: ${error.message}`;
    add({ severity: 'mismatch', rule: 'tensorflow', message, offset: error.offset });
  }
  return { format, findings: [...findings.values()] };
}

/** The operator of every node, those of the functions in the graphs' libraries too. */
function* operatorFields(walker: ProtobufWalker, format: 'saved-model' | 'tensorflow-graph'): Generator<Field, void> {
  const graphs =
    format === 'tensorflow-graph' ? [undefined] : within(walker, [SAVED_MODEL.metaGraphs, META_GRAPH.graph]);
  for (const graph of graphs) {
    yield* within(walker, [GRAPH.node, NODE.op], graph);
    yield* within(walker, [GRAPH.library, LIBRARY.function, FUNCTION.node, NODE.op], graph);
  }
}

/** The fields at a path of field numbers below a message; without one, below the whole file. */
function* within(walker: ProtobufWalker, path: readonly number[], message?: Field): Generator<Field, void> {
  const [number, ...rest] = path;
  for (const field of walker.fields(message?.start, message?.end)) {
    if (field.number !== number || field.wire !== 'bytes') continue;
    if (rest.length === 0) yield field;
    else yield* within(walker, rest, field);
  }
}

/** A file that is read with the model, such as a vocabulary: its name leads from the folder `assets` down. */
function judgeAsset(name: string, offset: number): readonly ModelFinding[] {
  const leadsOut = name.includes('\0') || /^(?:[/\\]|[A-Za-z]:)/.test(name) || name.split(/[/\\]/).includes('..');
  if (!leadsOut) return [];
  const message = `it reads the file ${JSON.stringify(name.slice(0, 120))}, which leads out of its folder`;
  return [{ severity: 'dangerous', rule: 'tensorflow', message, offset }];
}

function judgeOperator(operator: string, offset: number, context: ReadContext): ModelFinding | undefined {
  const shown = JSON.stringify(operator.slice(0, 120)).slice(1, -1);
  const rule = 'tensorflow-operator';
  if (DANGEROUS_OPERATORS.has(operator)) {
    const message = `it runs the operator ${shown}, which reaches files, the network or Python`;
    return { severity: 'dangerous', rule, message, offset };
  }
  if (!FOREIGN_OPERATOR.test(operator) || isAllowed(operator, context)) return undefined;
  const message = `it runs the operator ${shown} of a library of its own; if you know it, list it in "allow-globals"`;
  return { severity: 'suspicious', rule, message, offset };
}

function isAllowed(operator: string, { allowed }: ReadContext): boolean {
  return allowed.has(operator) || allowed.has(`${operator.split('>')[0]}.*`);
}
