// sliceShadow, allocateShadow, moveShadow, refuseShadow: what TypeScript says of an instance's shadow stack.
#include <algorithm>
#include <array>

#include "bindings/arguments.h"

namespace heddle {

namespace {

/// What ShadowSpace::failure says of a call that did not return. Where one inside it was the reason, it is that one's.
uint64_t failure_of(const Call& call) {
  const bool inner = call.trap() == Trap::ShadowOverflow && call.trap_detail() != ~uint64_t{0} && call.trap_detail() >= kShadowFailed;
  return inner ? call.trap_detail() : kShadowFailed + static_cast<uint64_t>(call.trap());
}

/// Calls a function of WebAssembly that takes one integer: its result, 0 where it fails, and why. What it throws is nobody's concern.
uint64_t call_quietly(Engine* engine, const VMFunction* function, uint64_t argument, bool wide, uint64_t* failure) {
  // The caller is between two states of a continuation, which the collector would not understand.
  engine->runtime.no_collection++;
  // What is in the mailbox is of a call that waits now, or goes on; imports of the allocator may use it.
  std::array<uint64_t, kMailboxSize> kept;
  std::copy_n(engine->mailbox(), kept.size(), kept.begin());
  uint64_t result = 0;
  {
    Call call(&engine->runtime, function);
    bool returned = false;
    if (call) {
      *at<uint64_t>(call.slots()) = argument;
      returned = call.run() == Call::Ending::Returned;
    }
    if (returned) {
      result = wide ? *at<uint64_t>(call.slots()) : *at<uint32_t>(call.slots());
    } else {
      *failure = failure_of(call);
    }
  }
  // But for what is no call's: the allocator may have made a table longer.
  kept[kMailboxTables] = engine->mailbox()[kMailboxTables];
  std::copy(kept.begin(), kept.end(), engine->mailbox());
  engine->runtime.no_collection--;
  bool pending = false;
  napi_value error = nullptr;
  if (napi_is_exception_pending(engine->env, &pending) == napi_ok && pending) napi_get_and_clear_last_exception(engine->env, &error);
  return result;
}

InstanceObject* instance_of(Arguments* in) {
  auto* context = in->object<VMInstance>(0);
  return *in ? static_cast<InstanceObject*>(context->data) : nullptr;
}

/// The instance uses the shadow stack of a cell, which `make_space` completes where it is the first to.
template <typename MakeSpace>
void use_shadow(Engine* engine, InstanceObject* instance, uint64_t cell, bool wide, MakeSpace make_space) {
  const auto& all = engine->runtime.shadows;
  const auto known = std::find_if(all.begin(), all.end(), [cell](const ShadowStack* stack) { return stack->cell() == cell; });
  instance->shadow = known != all.end() ? (*known)->shared_from_this()
                                        : std::make_shared<ShadowStack>(&engine->runtime, instance->context, cell, wide, make_space());
  instance->shadow->attach();
  instance->context->shadow = instance->shadow.get();
}

constexpr uint64_t kShadowAlignment = 16;
/// What an area has where nothing is said, and the part of the whole that it has at most.
constexpr uint64_t kShadowSize = 16 * 1024;
constexpr uint64_t kShadowShare = 4;

uint64_t aligned(uint64_t value) {
  return value / kShadowAlignment * kShadowAlignment;
}

uint64_t slice_size(uint64_t whole) {
  return std::max(kShadowAlignment, aligned(std::min(kShadowSize, whole / kShadowShare)));
}

std::unique_ptr<ShadowSpace> blocks_of(Engine* engine, const VMFunction* allocate, const VMFunction* release, bool wide, uint64_t size) {
  ShadowAllocator allocator{[=](uint64_t bytes, uint64_t* failure) { return call_quietly(engine, allocate, bytes, wide, failure); },
                            [=](uint64_t address) {
                              uint64_t failure = 0;
                              call_quietly(engine, release, address, wide, &failure);
                            }};
  return make_blocks(std::move(allocator), size);
}

napi_value slice_shadow(napi_env env, napi_callback_info info) {
  Arguments in(env, info);
  InstanceObject* instance = instance_of(&in);
  const uint64_t cell = in.number(1), low = in.number(2), size = in.number(3);
  const bool wide = in.number(4) != 0;
  if (in && (cell == 0 || size == 0)) in.fail("a cell and a size");
  if (!in) return nullptr;
  use_shadow(in.engine(), instance, cell, wide, [=] { return make_slices(low, wide ? *at<uint64_t>(cell) : *at<uint32_t>(cell), size); });
  return nullptr;
}

napi_value allocate_shadow(napi_env env, napi_callback_info info) {
  Arguments in(env, info);
  InstanceObject* instance = instance_of(&in);
  const uint64_t cell = in.number(1), size = in.number(2);
  const auto* allocate = in.object<const VMFunction>(3);
  const auto* release = in.object<const VMFunction>(4);
  const bool wide = in.number(5) != 0;
  if (in && (cell == 0 || size == 0)) in.fail("a cell and a size");
  if (!in) return nullptr;
  Engine* engine = in.engine();
  use_shadow(engine, instance, cell, wide, [=] { return blocks_of(engine, allocate, release, wide, size); });
  return nullptr;
}

/// [instance, cell, size of an area or 0, VMFunction of emscripten_stack_get_end or 0, those of malloc and free or 0, wide]
napi_value defer_shadow(napi_env env, napi_callback_info info) {
  Arguments in(env, info);
  InstanceObject* instance = instance_of(&in);
  const uint64_t cell = in.number(1), size = in.number(2);
  const auto* end = at<const VMFunction>(in.number(3));
  const auto* allocate = at<const VMFunction>(in.number(4));
  const auto* release = at<const VMFunction>(in.number(5));
  const bool wide = in.number(6) != 0;
  if (in && cell == 0) in.fail("a cell");
  if (!in) return nullptr;
  Engine* engine = in.engine();
  use_shadow(engine, instance, cell, wide, [=] {
    return make_deferred([=](uint64_t top) -> std::unique_ptr<ShadowSpace> {
      uint64_t failure = 0;
      const uint64_t low = end == nullptr ? 0 : call_quietly(engine, end, 0, wide, &failure);
      // Nobody has set it before the program is ready.
      if (low != 0 && low < top) return make_slices(aligned(low + kShadowAlignment - 1), top, size != 0 ? size : slice_size(top - low));
      if (allocate == nullptr) return nullptr;
      return blocks_of(engine, allocate, release, wide, size != 0 ? size : kShadowSize);
    });
  });
  return nullptr;
}

napi_value move_shadow(napi_env env, napi_callback_info info) {
  Arguments in(env, info);
  InstanceObject* instance = instance_of(&in);
  const uint64_t cell = in.number(1);
  const bool wide = in.number(2) != 0;
  if (in && cell == 0) in.fail("a cell");
  if (in) use_shadow(in.engine(), instance, cell, wide, [] { return nullptr; });
  return nullptr;
}

napi_value limit_shadow(napi_env env, napi_callback_info info) {
  Arguments in(env, info);
  const InstanceObject* instance = instance_of(&in);
  const uint64_t base = in.number(1), end = in.number(2);
  if (in && (base == 0 || end == 0)) in.fail("two cells");
  if (in && instance->shadow != nullptr) instance->shadow->tell_limits(base, end);
  return nullptr;
}

napi_value refuse_shadow(napi_env env, napi_callback_info info) {
  Arguments in(env, info);
  InstanceObject* instance = instance_of(&in);
  const uint64_t reason = in.number(1);
  if (in && reason == 0) in.fail("a reason");
  if (!in) return nullptr;
  instance->shadow = std::make_shared<ShadowStack>(&in.engine()->runtime, instance->context, reason);
  instance->shadow->attach();
  return nullptr;
}

}  // namespace

void define_shadow_functions(napi_env env, napi_value exports) {
  define_functions(env, exports,
                   {{"sliceShadow", slice_shadow},
                    {"allocateShadow", allocate_shadow},
                    {"deferShadow", defer_shadow},
                    {"moveShadow", move_shadow},
                    {"limitShadow", limit_shadow},
                    {"refuseShadow", refuse_shadow}});
}

}  // namespace heddle
