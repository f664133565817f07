/** Repositories whose images carry CUDA, ROCm or another accelerator's libraries. */
const REPOSITORIES =
  /(?:^|\/)(?:nvidia\/|rocm\/|tensorrt|vllm-openai|text-generation-inference|pytorch-gpu)|^nvcr\.io\//;
const TAGS = /(?:^|[-_.])(?:gpu|cuda[\d.]*|cudnn\d*|rocm[\d.]*)(?:$|[-_.])/i;

/** True for a base image that is made for GPUs, by its repository (`nvidia/cuda`) or its tag (`2.9.2-gpu`, `…-cuda12.4-…`). */
export function isGpuImage(reference: string): boolean {
  const [name = ''] = reference.split('@');
  const colon = name.lastIndexOf(':');
  const hasTag = colon > name.lastIndexOf('/');
  return REPOSITORIES.test(hasTag ? name.slice(0, colon) : name) || (hasTag && TAGS.test(name.slice(colon + 1)));
}

/** True for a word that names a variant by its hardware: `cpu`, `gpu`, `cuda12`, `rocm`. */
export function isVariantWord(word: string): boolean {
  return /^(?:cpu|gpu|xpu|tpu|cuda[\d.-]*|rocm[\d.-]*)$/i.test(word);
}

/** True when a variant's word and the base images it is built on speak of different hardware. */
export function contradicts(word: string, images: readonly string[]): boolean {
  return /^cpu$/i.test(word) === images.some(isGpuImage);
}
