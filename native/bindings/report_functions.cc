// releaseMemory, discard, cpuFeatures, report, hooks, configure, statistics.
#include <sys/mman.h>

#include <cstring>

#include "base/system.h"
#include "bindings/arguments.h"
// The C library has said by now which it is.
#ifdef __GLIBC__
#include <malloc.h>
#endif

namespace heddle {

namespace {

napi_value list_of(napi_env env, const std::vector<std::string>& texts) {
  std::vector<napi_value> values(texts.size());
  for (size_t i = 0; i < texts.size(); i++) values[i] = make_text(env, texts[i]);
  return make_list(Engine::of(env), values);
}

napi_value cpu_feature_list(napi_env env, napi_callback_info) {
  return list_of(env, cpu_features());
}

napi_value secret(napi_env env, napi_callback_info) {
  const uint8_t* bytes = process_secret();
  void* data = nullptr;
  napi_value buffer = nullptr, array = nullptr;
  if (bytes == nullptr) {
    napi_throw_error(env, "HEDDLE_PLATFORM", "the kernel gives no random bytes");
    return nullptr;
  }
  if (napi_create_arraybuffer(env, kSecretSize, &data, &buffer) != napi_ok) return nullptr;
  std::memcpy(data, bytes, kSecretSize);
  napi_create_typedarray(env, napi_uint8_array, kSecretSize, buffer, 0, &array);
  return array;
}

napi_value report(napi_env env, napi_callback_info) {
  const GuardReport& guard = probe_kernel_guard();
  napi_value result = nullptr;
  napi_create_object(env, &result);
  set_property(env, result, "cpu", make_text(env, cpu_name()));
  set_property(env, result, "features", list_of(env, cpu_features()));
  set_property(env, result, "kernel", make_text(env, kernel_release()));
  set_property(env, result, "guard", make_text(env, guard.kernel ? "kernel" : "software"));
  set_property(env, result, "guardReason", make_text(env, guard.reason));
  set_property(env, result, "pageSize", make_number(env, static_cast<double>(page_size())));
  set_property(env, result, "minimumSignalStack", make_number(env, static_cast<double>(minimum_signal_stack())));
  set_property(env, result, "maximumMaps", make_number(env, static_cast<double>(maximum_maps())));
  set_property(env, result, "memoryLimit", make_number(env, static_cast<double>(memory_limit())));
  return result;
}

/// Replaces `*reference` by one to the property `name` of `object`.
void set_hook(Arguments* in, napi_value object, const char* name, napi_ref* reference) {
  napi_value function = property(in->env(), object, name);
  if (function == nullptr) return in->fail("a hook");
  if (*reference != nullptr) napi_delete_reference(in->env(), *reference);
  *reference = nullptr;
  if (napi_create_reference(in->env(), function, 1, reference) != napi_ok) in->fail("a hook");
}

napi_value set_hooks(napi_env env, napi_callback_info info) {
  Arguments in(env, info);
  if (!in) return nullptr;
  Hooks* hooks = &in.engine()->hooks;
  set_hook(&in, in.value(0), "trap", &hooks->trap);
  set_hook(&in, in.value(0), "coerce", &hooks->coerce);
  set_hook(&in, in.value(0), "poll", &hooks->poll);
  set_hook(&in, in.value(0), "thrown", &hooks->thrown);
  set_hook(&in, in.value(0), "keepThrown", &hooks->keep_thrown);
  set_hook(&in, in.value(0), "throwKept", &hooks->throw_kept);
  set_hook(&in, in.value(0), "caught", &hooks->caught);
  set_hook(&in, in.value(0), "collected", &hooks->collected);
  set_hook(&in, in.value(0), "uncache", &hooks->uncache);
  set_hook(&in, in.value(0), "suspendError", &hooks->suspend_error);
  set_hook(&in, in.value(0), "passed", &hooks->passed);
  set_hook(&in, in.value(0), "wait", &hooks->wait);
  set_hook(&in, in.value(0), "notify", &hooks->notify);
  set_hook(&in, in.value(0), "makeFunction", &hooks->make_function);
  const Bytes mailbox = in.doubles(1);
  if (in && mailbox.size < kMailboxSize * sizeof(double)) in.fail("a mailbox");
  if (!in || in.engine()->mailbox() != nullptr) return nullptr;
  in.engine()->mailbox_array = in.reference(1);
  in.engine()->runtime.thread.mailbox = mailbox.data;  // SAFETY: a Float64Array's data, which stays where it is.
  return nullptr;
}

/// Least bytes that objects may have: Heddle's own are among them.
constexpr uint64_t kLeastHeap = 1 << 20;

/// A number option, when given.
void read_option(napi_env env, napi_value options, const char* name, uint64_t least, uint64_t* target) {
  napi_value value = property(env, options, name);
  double number = 0;
  if (value != nullptr && napi_get_value_double(env, value, &number) == napi_ok && number >= 0) {
    *target = number > 1e15 ? ~uint64_t{0} >> 8 : static_cast<uint64_t>(number);
    if (*target < least) *target = least;
  }
}

std::string read_text(napi_env env, napi_value options, const char* name) {
  napi_value value = property(env, options, name);
  char text[16] = {};
  size_t length = 0;
  if (value != nullptr) napi_get_value_string_utf8(env, value, text, sizeof text, &length);
  return text;
}

napi_value configure(napi_env env, napi_callback_info info) {
  Arguments in(env, info);
  if (!in) return nullptr;
  napi_value given = in.value(0), stack = property(env, given, "stack");
  if (stack == nullptr) napi_create_object(env, &stack);
  RuntimeOptions options = in.engine()->runtime.options();
  read_option(env, stack, "maximum", 1, &options.continuation.maximum);
  read_option(env, stack, "memory", 1, &options.continuation.memory);
  read_option(env, stack, "warm", 0, &options.continuation.warm);
  if (property(env, stack, "memory") != nullptr) options.continuation.budget = options.continuation.memory / 2;
  if (property(env, stack, "size") != nullptr) {
    options.continuation.large = 0;
    options.continuation.first = ~uint64_t{0};
  }
  read_option(env, stack, "size", kStackLeast, &options.continuation.size);
  read_option(env, given, "entryStackSize", kStackLeast, &options.entry.size);
  const std::string strategy = read_text(env, stack, "strategy");
  const std::string guard = read_text(env, stack, "guard");
  for (StackOptions* stacks : {&options.continuation, &options.entry}) {
    if (strategy == "mmap") stacks->strategy = Strategy::Mmap;
    if (strategy == "malloc") stacks->strategy = Strategy::Malloc;
    if (strategy == "pool" || strategy == "deferred" || strategy == "hibernate") stacks->strategy = Strategy::Pool;
    if (guard == "auto") stacks->guard = Guard::Auto;
    if (guard == "kernel") stacks->guard = Guard::Kernel;
    if (guard == "software") stacks->guard = Guard::Software;
  }
  if (strategy == "hibernate") options.continuation.budget = 0;
  read_option(env, stack, "budget", 0, &options.continuation.budget);
  uint64_t heap_memory = 0;
  const napi_value heap = property(env, given, "heap");
  if (heap != nullptr) read_option(env, heap, "memory", kLeastHeap, &heap_memory);
  if (heap_memory != 0) in.engine()->heap.set_limit(heap_memory);
  if (read_text(env, given, "collect") == "always") in.engine()->heap.collect_always();
  if (guard == "kernel" && !probe_kernel_guard().kernel) {
    napi_throw_error(env, "HEDDLE_OPTION", probe_kernel_guard().reason);
  } else if (!in.engine()->runtime.configure(options)) {
    napi_throw_error(env, "HEDDLE_OPTION", "the engine is in use: configure it before the first call");
  }
  return nullptr;
}

napi_value statistics(napi_env env, napi_callback_info info) {
  const Arguments in(env, info);
  Engine* engine = in.engine();
  Runtime& runtime = engine->runtime;
  const StackCounts continuations = runtime.continuation_counts();
  const StackCounts entries = runtime.entry_counts();
  const Blocks& blocks = engine->heap.blocks;
  const HeapCounts& heap = engine->heap.counts();
  const struct {
    const char* name;
    uint64_t value;
  } rows[] = {
      {"switches", runtime.thread.switches},
      {"continuationsMade", runtime.records.made()},
      {"recordsRetired", runtime.records.retired()},
      {"continuationsLive", runtime.records.live()},
      {"continuationsHeld", runtime.records.held()},
      {"exceptionsLive", blocks.live(ObjectKind::Exception)},
      {"stacksLive", continuations.live},
      {"continuationsHibernated", runtime.copies.chains()},
      {"hibernatedBytes", runtime.copies.bytes()},
      {"hibernations", runtime.copies.hibernations()},
      {"wakes", runtime.copies.wakes()},
      {"continuationsCloned", runtime.copies.clones()},
      {"continuationCopies", runtime.copies.count()},
      {"stacksHibernated", continuations.vacant},
      {"stacksPooled", continuations.pooled},
      {"stacksPeak", continuations.peak},
      {"stackBytesReserved", continuations.reserved_bytes + entries.reserved_bytes},
      {"codeBytes", engine->heap.codes.bytes()},
      {"codes", engine->heap.codes.count()},
      {"instances", blocks.live(ObjectKind::Instance)},
      {"tables", blocks.live(ObjectKind::Table)},
      {"globals", blocks.live(ObjectKind::Global)},
      {"tags", blocks.live(ObjectKind::Tag)},
      {"memories", blocks.live(ObjectKind::Memory)},
      {"hostFunctions", blocks.live(ObjectKind::HostFunction)},
      {"heapBytes", blocks.bytes()},
      {"holders", engine->roots.holders()},
      {"collections", heap.collections},
      {"continuationsCollected", heap.continuations_freed},
      {"objectsCollected", heap.objects_freed},
      {"lastPauseNanoseconds", heap.last_pause},
      {"longestPauseNanoseconds", heap.longest_pause},
      {"totalPauseNanoseconds", heap.total_pause},
      {"snapshotChecks", heap.snapshot_checks},
      {"snapshotDoubts", heap.snapshot_doubts},
      {"entries", runtime.entries.load(std::memory_order_relaxed)},
  };
  napi_value result = nullptr;
  napi_create_object(env, &result);
  for (const auto& row : rows) set_property(env, result, row.name, make_number(env, static_cast<double>(row.value)));
  return result;
}

napi_value release_memory(napi_env, napi_callback_info) {
#ifdef __GLIBC__
  malloc_trim(0);
#endif
  return nullptr;
}

napi_value discard(napi_env env, napi_callback_info info) {
  Arguments in(env, info);
  const Bytes bytes = in.bytes(0);
  if (!in) return nullptr;
  const uint64_t start = round_up(reinterpret_cast<uint64_t>(bytes.data), page_size());  // SAFETY: an address as a number.
  const uint64_t end = (reinterpret_cast<uint64_t>(bytes.data) + bytes.size) / page_size() * page_size();
  // SAFETY: private memory of ours; where the system refuses, it stays as it is.
  if (start < end) madvise(at<void>(start), end - start, MADV_DONTNEED);
  return nullptr;
}

}  // namespace

void define_report_functions(napi_env env, napi_value exports) {
  define_functions(env, exports,
                   {{"releaseMemory", release_memory},
                    {"discard", discard},
                    {"secret", secret},
                    {"cpuFeatures", cpu_feature_list},
                    {"report", report},
                    {"hooks", set_hooks},
                    {"configure", configure},
                    {"statistics", statistics}});
}

}  // namespace heddle
