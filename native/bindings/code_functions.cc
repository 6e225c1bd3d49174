// loadCode, createInstance, write, writeFunctions, load, store, copyParts, setData, setElements.
#include <cstdlib>
#include <cstring>

#include "bindings/arguments.h"
#include "bindings/code_tables.h"

namespace heddle {

namespace {

/// Memory with machine code: the bytes that the first argument is, or those of the file that it names.
Mapping code_memory(Arguments* in) {
  napi_valuetype type = napi_undefined;
  napi_typeof(in->env(), in->value(0), &type);
  if (type == napi_string) return Mapping::file(in->text(0).c_str());
  const Bytes bytes = in->bytes(0);
  if (*in && bytes.size < kStubSize) in->fail("room for the stubs");
  return *in ? Mapping::copy(bytes.data, bytes.size) : Mapping();
}

/// A table of traps that lies in the memory, at the offset that argument `i` is: a row of the number of rows, then these. Code ends there.
Words mapped_traps(Arguments* in, size_t i, const Mapping& memory, size_t* code_size) {
  const uint64_t offset = in->number(i);
  if (*in && (offset < kStubSize || offset % page_size() != 0 || memory.size() < offset + page_size())) in->fail("where a table begins");
  if (!*in) return {};
  const auto* words = at<const int32_t>(memory.base() + offset);
  const uint64_t rows = static_cast<uint32_t>(words[0]);
  if (rows > (memory.size() - offset) / (2 * sizeof(int32_t)) - 1) in->fail("a table of that size");
  *code_size = offset;
  return {words + 2, rows * 2};
}

/// Code that is part of a file in memory, run where it lies. Null where it is none, or cannot be run there: some file systems allow that to
/// nobody.
std::unique_ptr<Code> mapped_code(Arguments* in, int32_t id, const CodeTables& tables) {
  bool is_array = false;
  if (napi_is_typedarray(in->env(), in->value(0), &is_array) != napi_ok || !is_array) return nullptr;
  const Bytes bytes = in->bytes(0);
  if (!*in || bytes.size < kStubSize) return nullptr;
  std::shared_ptr<MappedFile> file = file_with(in->engine(), bytes.data);
  if (file == nullptr) return nullptr;
  const uint64_t offset = reinterpret_cast<uint64_t>(bytes.data) - file->mapping.base();  // SAFETY: an address as a number.
  if (offset % page_size() != 0 || round_up(bytes.size, page_size()) > file->mapping.size() - offset) return nullptr;
  return Code::map(id, std::move(file), offset, bytes.size, tables);
}

napi_value load_code(napi_env env, napi_callback_info info) {
  Arguments in(env, info);
  napi_valuetype kind = napi_undefined;
  napi_typeof(env, in.value(2), &kind);
  const bool traps_follow = kind == napi_number;
  Bytes words[6];
  for (size_t i = 0; i < 6; i++) {
    if (i != 1 || !traps_follow) words[i] = in.words(i + 1, napi_int32_array);
  }
  CodeTables tables = {words_of(words[0]), words_of(words[1]), words_of(words[2]),
                       words_of(words[3]), words_of(words[4]), words_of(words[5])};
  const auto* types = in ? in.engine()->object_at<TypeList>(ObjectKind::Types, in.number(7)) : nullptr;
  if (in && types == nullptr) in.fail("a module's types");
  if (!in) return nullptr;
  Codes& codes = in.engine()->heap.codes;
  const int32_t id = codes.next_id();
  std::unique_ptr<Code> loaded = mapped_code(&in, id, tables);
  if (loaded == nullptr) {
    Mapping memory = code_memory(&in);
    size_t code_size = 0;
    if (traps_follow && memory) tables.traps = mapped_traps(&in, 2, memory, &code_size);
    if (in) loaded = Code::load(id, std::move(memory), tables, code_size);
  }
  if (!in) return nullptr;
  if (loaded != nullptr) loaded->set_types(address_of(types));
  const Code* code = loaded == nullptr ? nullptr : codes.add(std::move(loaded));
  if (code == nullptr) {
    napi_throw_range_error(env, "HEDDLE_MEMORY", "the system gives no memory for machine code");
    return nullptr;
  }
  napi_value result = nullptr;
  napi_create_object(env, &result);
  set_property(env, result, "id", make_number(env, id));
  set_property(env, result, "base", make_number(env, static_cast<double>(code->base())));
  return result;
}

napi_value create_instance(napi_env env, napi_callback_info info) {
  Arguments in(env, info);
  const uint64_t id = in.number(0), size = in.number(1), traced = in.number(2);
  if (!in) return nullptr;
  Engine* engine = in.engine();
  // A safepoint: what the instance is to be made of is held by JavaScript objects.
  engine->heap.poll();
  const Code* code = engine->heap.codes.find(static_cast<int32_t>(id));
  if (code == nullptr || size < sizeof(VMInstance) || traced < sizeof(VMInstance) || traced > size) {
    in.fail("a loaded code and a size");
    return nullptr;
  }
  auto* context = static_cast<VMInstance*>(engine->heap.allocate(ObjectKind::Instance, size, kInstanceWeight));
  if (context == nullptr) {
    napi_throw_range_error(env, "HEDDLE_MEMORY", "no memory for an instance");
    return nullptr;
  }
  int64_t now = 0;
  napi_adjust_external_memory(env, kInstanceWeight, &now);
  auto* object = new InstanceObject;
  object->context = context;
  object->size = size;
  object->traced = traced;
  object->code = code;
  context->thread = &engine->runtime.thread;
  context->data = object;
  context->id = ++engine->instances_made;
  napi_value result = nullptr;
  napi_create_object(env, &result);
  set_property(env, result, "address", make_number(env, static_cast<double>(address_of(context))));
  set_property(env, result, "id", make_number(env, static_cast<double>(context->id)));
  return result;
}

/// The instance whose context holds [address, address + size), or null.
InstanceObject* owner_of(Engine* engine, uint64_t address, uint64_t size) {
  const auto* context = engine->object_at<VMInstance>(ObjectKind::Instance, address);
  if (context == nullptr) return nullptr;
  auto* object = static_cast<InstanceObject*>(context->data);
  const uint64_t offset = address - address_of(context);
  return size <= object->size && offset <= object->size - size ? object : nullptr;
}

napi_value write(napi_env env, napi_callback_info info) {
  Arguments in(env, info);
  const uint64_t address = in.number(0);
  const Bytes bytes = in.bytes(1);
  if (!in || bytes.size == 0) return nullptr;
  if (owner_of(in.engine(), address, bytes.size) == nullptr) in.fail("an address inside an instance");
  if (in) std::memcpy(at<void>(address), bytes.data, bytes.size);
  return nullptr;
}

napi_value write_functions(napi_env env, napi_callback_info info) {
  Arguments in(env, info);
  const uint64_t blocks = in.number(0), first = in.number(1), base = in.number(2);
  const Words offsets = words_of(in.words(3, napi_int32_array));
  const Words functions = words_of(in.words(4, napi_uint32_array));
  const Words types = words_of(in.words(5, napi_int32_array));
  if (!in || functions.count == 0) return nullptr;
  const InstanceObject* object = owner_of(in.engine(), blocks, functions.count * sizeof(VMFunction));
  if (object == nullptr) in.fail("an address inside an instance");
  if (in && (first > offsets.count || functions.count > offsets.count - first)) in.fail("the offset of each function");
  for (size_t i = 0; in && i < functions.count; i++) {
    const auto type = static_cast<uint32_t>(functions.data[i]);
    const int32_t offset = offsets.data[first + i];
    if (type >= types.count / 3 || offset < 0) {
      in.fail("functions that have code");
      break;
    }
    const int32_t* row = types.data + size_t{3} * type;
    auto* function = at<VMFunction>(blocks + i * sizeof(VMFunction));
    function->code = base + static_cast<uint32_t>(offset);
    function->context = object->context;
    function->type = static_cast<uint32_t>(row[0]);
    function->index = static_cast<uint32_t>(first + i);
    function->enter = base + static_cast<uint32_t>(row[1]);
    function->slots = static_cast<uint32_t>(row[2]);
  }
  return nullptr;
}

/// RawKind of ts/link/native.ts as its three characters.
uint32_t kind_of(Arguments* in, size_t i) {
  char text[4] = {};
  size_t length = 0;
  if (napi_get_value_string_utf8(in->env(), in->value(i), text, sizeof text, &length) != napi_ok || length != 3) in->fail("a raw kind");
  return static_cast<uint32_t>(text[0]) << 16 | static_cast<uint32_t>(text[1]) << 8 | static_cast<uint32_t>(text[2]);
}

constexpr uint32_t kind_word(const char (&text)[4]) {
  return static_cast<uint32_t>(text[0]) << 16 | static_cast<uint32_t>(text[1]) << 8 | static_cast<uint32_t>(text[2]);
}

napi_value load(napi_env env, napi_callback_info info) {
  Arguments in(env, info);
  const uint64_t address = in.number(0);
  const uint32_t kind = kind_of(&in, 1);
  if (in && address == 0) in.fail("an address");
  if (!in) return nullptr;
  napi_value result = nullptr;
  switch (kind) {
    case kind_word("i32"):
      return make_number(env, *at<int32_t>(address));
    case kind_word("u32"):
      return make_number(env, *at<uint32_t>(address));
    case kind_word("f32"):
      return make_number(env, static_cast<double>(*at<float>(address)));
    case kind_word("f64"):
      return make_number(env, *at<double>(address));
    case kind_word("i64"):
      napi_create_bigint_int64(env, *at<int64_t>(address), &result);
      return result;
    case kind_word("u64"):
    case kind_word("ref"):
      return make_number(env, static_cast<double>(*at<uint64_t>(address)));
    default:
      in.fail("a raw kind");
      return nullptr;
  }
}

napi_value store(napi_env env, napi_callback_info info) {
  Arguments in(env, info);
  const uint64_t address = in.number(0);
  const uint32_t kind = kind_of(&in, 1);
  if (in && address == 0) in.fail("an address");
  if (!in) return nullptr;
  double number = 0;
  int64_t integer = 0;
  bool lossless = false;
  if (napi_get_value_double(env, in.value(2), &number) != napi_ok &&
      napi_get_value_bigint_int64(env, in.value(2), &integer, &lossless) != napi_ok) {
    in.fail("a number or bigint");
    return nullptr;
  }
  switch (kind) {
    case kind_word("i32"):
      *at<int32_t>(address) = static_cast<int32_t>(static_cast<int64_t>(number));
      break;
    case kind_word("u32"):
      *at<uint32_t>(address) = static_cast<uint32_t>(static_cast<int64_t>(number));
      break;
    case kind_word("f32"):
      *at<float>(address) = static_cast<float>(number);
      break;
    case kind_word("f64"):
      *at<double>(address) = number;
      break;
    case kind_word("i64"):
      *at<int64_t>(address) = integer;
      break;
    case kind_word("u64"):
    case kind_word("ref"):
      *at<uint64_t>(address) = static_cast<uint64_t>(number);
      break;
    default:
      in.fail("a raw kind");
  }
  return nullptr;
}

napi_value set_data(napi_env env, napi_callback_info info) {
  Arguments in(env, info);
  const uint64_t instance = in.number(0), segment = in.number(1);
  const Bytes bytes = in.bytes(2);
  InstanceObject* object = in ? owner_of(in.engine(), instance, 1) : nullptr;
  if (in && object == nullptr) in.fail("an instance");
  if (in) object->data[static_cast<uint32_t>(segment)].assign(bytes.data, bytes.data + bytes.size);
  return nullptr;
}

napi_value copy_parts(napi_env env, napi_callback_info info) {
  Arguments in(env, info);
  const Bytes target = in.bytes(0);
  const auto base = static_cast<double>(in.number(1));
  const Bytes source = in.bytes(2), ranges = in.doubles(3);
  const uint64_t from = in.number(4), to = in.number(5);
  constexpr size_t kRange = 3;
  if (in && (from > to || to > ranges.size / sizeof(double) / kRange)) in.fail("that many ranges");
  if (!in) return nullptr;
  const auto fits = [](double start, double length, size_t size) {
    const auto bytes = static_cast<double>(size);
    return start >= 0 && length >= 0 && length <= bytes && start <= bytes - length;
  };
  for (uint64_t i = from; i < to; i++) {
    const double* range = reinterpret_cast<const double*>(ranges.data) + kRange * i;  // SAFETY: a Float64Array's data.
    const double position = range[0] - base;
    if (!fits(position, range[2], target.size) || !fits(range[1], range[2], source.size)) {
      in.fail("ranges that fit");
      return nullptr;
    }
    const auto size = static_cast<size_t>(range[2]);
    if (size != 0) std::memcpy(target.data + static_cast<size_t>(position), source.data + static_cast<size_t>(range[1]), size);
  }
  return nullptr;
}

napi_value set_elements(napi_env env, napi_callback_info info) {
  Arguments in(env, info);
  const uint64_t instance = in.number(0), segment = in.number(1);
  const Bytes bytes = in.doubles(2);
  InstanceObject* object = in ? owner_of(in.engine(), instance, 1) : nullptr;
  if (in && object == nullptr) in.fail("an instance");
  if (!in) return nullptr;
  const double* words = reinterpret_cast<const double*>(bytes.data);  // SAFETY: a Float64Array's data.
  std::vector<uint64_t>& elements = object->elements[static_cast<uint32_t>(segment)];
  elements.clear();
  for (size_t i = 0; i < bytes.size / sizeof(double); i++) elements.push_back(static_cast<uint64_t>(words[i]));
  return nullptr;
}

}  // namespace

void define_code_functions(napi_env env, napi_value exports) {
  define_functions(env, exports,
                   {{"loadCode", load_code},
                    {"createInstance", create_instance},
                    {"write", write},
                    {"writeFunctions", write_functions},
                    {"load", load},
                    {"store", store},
                    {"copyParts", copy_parts},
                    {"setData", set_data},
                    {"setElements", set_elements}});
}

}  // namespace heddle
