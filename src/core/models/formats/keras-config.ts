import { isRecord } from '../../runner/event.ts';
import type { ModelFinding } from '../model-finding.ts';
import { judgeImport } from '../pickle/import-policy.ts';
import { countParts } from './json-members.ts';

const MAX_OBJECTS = 500_000;
const MAX_DEPTH = 200;
const MAX_FINDINGS = 100;

/** Packages from which Keras rebuilds layers, losses, metrics and initializers. */
const KERAS_MODULE =
  /^(?:keras|keras_core|tf_keras|tensorflow\.(?:python\.)?keras|keras_hub|keras_nlp|keras_cv)(?:\.|$)/;
/** Parts of them that load, fetch or switch the guard off (CVE-2025-8747, CVE-2025-9906), and layers that load models. */
const DANGEROUS_KERAS_MODULE = /\.(?:utils|saving|config|export|legacy\.saving|backend\.common\.global_state)(?:\.|$)/;
const DANGEROUS_CLASS =
  /^(?:Lambda|__lambda__|TFSMLayer|TorchModuleWrapper|get_file|load_model|load_weights|enable_unsafe_deserialization|JaxLayer|FlaxLayer)$/;
const HARMLESS_UTILITY = /\.utils(?:\.[a-z_]+)*\.(?:FeatureSpace|CustomObjectScope)$/;

/** Layers and parts of Keras 2 and 3 that old configurations name without a module. */
const KNOWN_CLASSES: ReadonlySet<string> = new Set(
  `Sequential Functional Model InputLayer Input Dense EinsumDense Activation Embedding Masking ReversibleEmbedding Identity
  Conv1D Conv2D Conv3D Conv1DTranspose Conv2DTranspose Conv3DTranspose Convolution1D Convolution2D Convolution3D
  SeparableConv1D SeparableConv2D DepthwiseConv1D DepthwiseConv2D LocallyConnected1D LocallyConnected2D
  MaxPooling1D MaxPooling2D MaxPooling3D AveragePooling1D AveragePooling2D AveragePooling3D GlobalMaxPooling1D
  GlobalMaxPooling2D GlobalMaxPooling3D GlobalAveragePooling1D GlobalAveragePooling2D GlobalAveragePooling3D
  LSTM LSTMCell GRU GRUCell SimpleRNN SimpleRNNCell RNN StackedRNNCells CuDNNLSTM CuDNNGRU ConvLSTM1D ConvLSTM2D ConvLSTM3D
  TimeDistributed Bidirectional Wrapper SpectralNormalization BatchNormalization BatchNormalizationV1 LayerNormalization
  GroupNormalization UnitNormalization RMSNormalization SyncBatchNormalization Normalization Rescaling Resizing CenterCrop
  Dropout SpatialDropout1D SpatialDropout2D SpatialDropout3D GaussianDropout GaussianNoise AlphaDropout
  ActivityRegularization Attention MultiHeadAttention GroupQueryAttention AdditiveAttention Reshape Flatten RepeatVector Permute
  Cropping1D Cropping2D Cropping3D UpSampling1D UpSampling2D UpSampling3D ZeroPadding1D ZeroPadding2D ZeroPadding3D
  Concatenate Average Maximum Minimum Add Subtract Multiply Dot ReLU Softmax LeakyReLU PReLU ELU ThresholdedReLU
  RandomFlip RandomRotation RandomZoom RandomCrop RandomTranslation RandomContrast RandomBrightness RandomHeight RandomWidth
  Discretization CategoryEncoding Hashing HashedCrossing StringLookup IntegerLookup TextVectorization MelSpectrogram STFTSpectrogram
  TFOpLambda SlicingOpLambda InstanceMethod ClassMethod Operation NotEqual
  Adam AdamW Adamax Adagrad Adadelta Nadam RMSprop SGD Ftrl Lion Lamb LossScaleOptimizer
  GlorotUniform GlorotNormal HeNormal HeUniform LecunNormal LecunUniform RandomNormal RandomUniform TruncatedNormal
  VarianceScaling Orthogonal Zeros Ones Constant IdentityInitializer L1 L2 L1L2 OrthogonalRegularizer MaxNorm MinMaxNorm
  NonNeg UnitNorm Policy DTypePolicy Float8DTypePolicy QuantizedDTypePolicy __tensor__ __numpy__ __keras_tensor__ __tuple__
  __typespec__ __bytes__ __slice__ __ellipsis__ __complex__ TensorShape function ExponentialDecay CosineDecay PiecewiseConstantDecay
  PolynomialDecay InverseTimeDecay CosineDecayRestarts CategoricalCrossentropy BinaryCrossentropy MeanSquaredError
  SparseCategoricalCrossentropy MeanAbsoluteError Huber MeanMetricWrapper Accuracy`
    .trim()
    .split(/\s+/),
);

/**
 * Judges the configuration of a Keras model: every object in it that names a class or a function, at any depth.
 *
 * A Lambda layer is marshalled byte code (CVE-2024-3660), a module of any name is imported (CVE-2025-1550), and the `.h5`
 * format never asks whether that is safe (CVE-2025-9905). `allowed` holds `module.Class` of the user's. Bounded in
 * objects and depth; what lies beyond is a finding.
 */
export function judgeKerasConfig(text: string, allowed: ReadonlySet<string>): readonly ModelFinding[] {
  if (countParts(Buffer.from(text)) > 2 * MAX_OBJECTS)
    return [{ severity: 'suspicious', rule: 'keras', message: 'the configuration is larger or deeper than is read' }];
  const config = parsePythonJson(text);
  if (config === undefined) {
    return [{ severity: 'mismatch', rule: 'keras', message: 'the configuration of the model is no JSON' }];
  }
  const findings = new Map<string, ModelFinding>();
  const add = (severity: ModelFinding['severity'], rule: string, message: string): void => {
    if (findings.size < MAX_FINDINGS) findings.set(message, { severity, rule, message });
  };
  const open: { readonly value: unknown; readonly depth: number }[] = [{ value: config, depth: 0 }];
  let count = 0;
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const { value, depth } = next;
    if (typeof value !== 'object' || value === null) continue;
    count += 1;
    if (count > MAX_OBJECTS || depth > MAX_DEPTH) {
      add('suspicious', 'keras', 'the configuration is larger or deeper than is read');
      break;
    }
    if (isRecord(value)) judgeObject(value, allowed, add);
    for (const inner of Object.values(value)) open.push({ value: inner, depth: depth + 1 });
  }
  return [...findings.values()];
}

/** Python's JSON knows NaN and Infinity. They mean nothing here, and neither does what is like them inside of a text. */
function parsePythonJson(text: string): unknown {
  for (const each of [text, text.replace(/([:,[]\s*)-?(?:NaN|Infinity)(?=\s*[,\]}])/g, '$10')]) {
    try {
      return JSON.parse(each);
    } catch (cause) {
      if (!(cause instanceof SyntaxError)) throw cause;
    }
  }
  return undefined;
}

type Add = (severity: ModelFinding['severity'], rule: string, message: string) => void;

function judgeObject(object: Readonly<Record<string, unknown>>, allowed: ReadonlySet<string>, add: Add): void {
  const className = object['class_name'];
  if (typeof className !== 'string') return;
  const module = typeof object['module'] === 'string' ? object['module'] : undefined;
  const registered = typeof object['registered_name'] === 'string' ? object['registered_name'] : undefined;
  // `function` objects carry their name in `config`.
  const name = className === 'function' && typeof object['config'] === 'string' ? object['config'] : className;
  const shown = JSON.stringify((module === undefined ? name : `${module}.${name}`).slice(0, 160)).slice(1, -1);
  judgeVocabulary(object['config'], shown, add);
  if (DANGEROUS_CLASS.test(name) || DANGEROUS_CLASS.test(className)) {
    const why =
      className === 'Lambda' || className === '__lambda__'
        ? 'which is Python byte code'
        : 'which loads code or other models';
    add('dangerous', 'keras-layer', `it rebuilds ${shown}, ${why}`);
    return;
  }
  if (allowed.has(`${module ?? ''}.${name}`) || allowed.has(name)) return;
  if (module !== undefined) {
    judgeModule(module, name, shown, allowed, add);
    return;
  }
  const plain = registered ?? name;
  if (plain.includes('>')) {
    add('suspicious', 'keras-layer', custom(shown));
    return;
  }
  if (className !== 'function' && !KNOWN_CLASSES.has(className)) add('suspicious', 'keras-layer', custom(shown));
}

function judgeModule(module: string, name: string, shown: string, allowed: ReadonlySet<string>, add: Add): void {
  if (KERAS_MODULE.test(module)) {
    if (DANGEROUS_KERAS_MODULE.test(module) && !HARMLESS_UTILITY.test(`${module}.${name}`))
      add('dangerous', 'keras-layer', `it rebuilds ${shown}, which loads, fetches or switches off Keras's guard`);
    return;
  }
  const verdict = judgeImport(module, name, allowed);
  if (verdict === 'dangerous')
    add('dangerous', 'keras-layer', `it imports ${shown}, which can run code or reach the system`);
  else if (verdict === 'suspicious' || module !== 'builtins') add('suspicious', 'keras-layer', custom(shown));
}

/** A lookup layer reads the file that its vocabulary names, also through an address (CVE-2025-12058). */
function judgeVocabulary(config: unknown, shown: string, add: Add): void {
  const vocabulary = isRecord(config) ? config['vocabulary'] : undefined;
  if (typeof vocabulary === 'string')
    add(
      'dangerous',
      'keras-layer',
      `${shown} reads the file ${JSON.stringify(vocabulary.slice(0, 120))} as its vocabulary`,
    );
}

function custom(shown: string): string {
  return `it rebuilds ${shown}, which is no part of Keras; if you know it, list it in "allow-globals"`;
}
