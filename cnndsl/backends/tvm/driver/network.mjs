/* A compiled network in a browser, in Node, or wherever there is WebAssembly with vectors of 128 bits.
 *
 *     import { Network } from "./network.mjs";
 *     const net = await Network.open(await fetch("lib.wasm"), await fetch("weights.safetensors"));
 *     const { scores } = net.run({ input: pixels });   // typed arrays by name: net.inputs and net.outputs say which
 *
 * `open` takes responses or bytes (Uint8Array, ArrayBuffer). One network runs in one thread; for a page that must not wait,
 * open it in a worker.
 */
const TYPES = {
  float32: Float32Array, float64: Float64Array, int64: BigInt64Array, int32: Int32Array, int16: Int16Array,
  int8: Int8Array, uint8: Uint8Array, bool: Uint8Array,
};

export class Network {
  /** The network of a library and its weights. Throws where the weights are not the library's. */
  static async open(wasm, weights) {
    const [code, data] = await Promise.all([bytesOf(wasm), bytesOf(weights)]);
    const { instance } = await WebAssembly.instantiate(code, {});
    return new Network(instance.exports, data);
  }

  constructor(library, weights) {
    this.library = library;
    library._initialize();
    const place = this.allocate(weights.byteLength);
    new Uint8Array(library.memory.buffer, place, weights.byteLength).set(weights);
    this.handle = library.network_open_bytes(place, weights.byteLength, 1);
    if (!this.handle) throw new Error(this.text(library.network_error()));
    const [inputs, outputs, arrays] = new Uint32Array(library.memory.buffer, this.handle, 3);
    const all = Array.from({ length: inputs + outputs }, (_, i) => this.array(arrays + 20 * i));
    /** What the inputs and outputs are: `name`, `type`, `shape` with the batch first, `bytes`. */
    this.inputs = all.slice(0, inputs);
    this.outputs = all.slice(inputs);
    this.addresses = [this.addressesOf(this.inputs), this.addressesOf(this.outputs)];
  }

  /** The outputs, typed arrays by name, of inputs by name. Throws where one is missing, or of another type or length. */
  run(given) {
    for (const { name, type, bytes, place } of this.inputs) {
      const array = given[name];
      if (!(array instanceof TYPES[type]) || array.byteLength !== bytes)
        throw new Error(`the input ${name} must be a ${TYPES[type].name} of ${bytes} bytes`);
      new TYPES[type](this.library.memory.buffer, place, array.length).set(array);
    }
    if (this.library.network_run(this.handle, ...this.addresses))
      throw new Error(this.text(this.library.network_error()));
    return Object.fromEntries(this.outputs.map(({ name, type, bytes, place }) =>
      [name, new TYPES[type](this.library.memory.buffer.slice(place, place + bytes))]));
  }

  allocate(bytes) {
    const place = this.library.aligned_alloc(64, Math.ceil(bytes / 64) * 64);
    if (!place) throw new Error("there is no memory for the network");
    return place;
  }

  /** `network_array` of network.h, with room for it. */
  array(at) {
    const [name, type, shape, axes, bytes] = new Uint32Array(this.library.memory.buffer, at, 5);
    const lengths = Array.from(new BigInt64Array(this.library.memory.buffer, shape, axes), Number);
    return { name: this.text(name), type: this.text(type), shape: lengths, bytes, place: this.allocate(bytes) };
  }

  addressesOf(arrays) {
    const at = this.allocate(4 * arrays.length);
    new Uint32Array(this.library.memory.buffer, at, arrays.length).set(arrays.map((array) => array.place));
    return at;
  }

  text(at) {
    const bytes = new Uint8Array(this.library.memory.buffer, at);
    return new TextDecoder().decode(bytes.slice(0, bytes.indexOf(0)));
  }
}

async function bytesOf(source) {
  if (typeof Response !== "undefined" && source instanceof Response) {
    if (!source.ok) throw new Error(`${source.url}: ${source.status}`);
    return new Uint8Array(await source.arrayBuffer());
  }
  return source instanceof ArrayBuffer ? new Uint8Array(source) : source;
}
