import ort from 'onnxruntime-web/wasm';

// A model of one addition, as protocol buffers: ModelProto { ir_version 8, opset 13, graph { node Add(a, b) -> c } }.
const text = (s) => [...Buffer.from(s)];
const field = (number, bytes) => [(number << 3) | 2, bytes.length, ...bytes];
const integer = (number, value) => [number << 3, value];
const shape = field(2, [...field(1, integer(1, 2)), ...field(1, integer(1, 3))]);
const tensor = (name) => [...field(1, text(name)), ...field(2, field(1, [...integer(1, 1), ...shape]))];
const node = [...field(1, text('a')), ...field(1, text('b')), ...field(2, text('c')), ...field(4, text('Add'))];
const graph = [...field(1, node), ...field(2, text('g')), ...field(11, tensor('a')), ...field(11, tensor('b')), ...field(12, tensor('c'))];
const model = Uint8Array.from([...integer(1, 8), ...field(7, graph), ...field(8, integer(2, 13))]);
ort.env.wasm.numThreads = 1;
const session = await ort.InferenceSession.create(model);
const a = new ort.Tensor('float32', Float32Array.of(1, 2, 3, 4, 5, 6), [2, 3]);
const { c } = await session.run({ a, b: a });
console.log(c.dims.join('x'), [...c.data].join(' '));
process.exit(0);
