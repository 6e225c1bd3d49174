#include "trap/inspect.h"

#include <unordered_map>
#include <utility>

#include "base/attempt.h"
#include "continuation/fiber_table.h"
#include "stacks/usage.h"
#include "trap/sites.h"

namespace heddle {

namespace {

/// Where a fiber has stopped: its stack pointer, its frame pointer, the address it goes on at.
struct Place {
  uint64_t sp;
  uint64_t fp;
  uint64_t pc;
};

/// While a fiber runs, or waits below one that does, its block says where its resumer waits; while it is suspended the block of its chain's
/// outermost fiber says where the chain goes on.
Place saved_in(const VMFiber* fiber) {
  return {fiber->sp, fiber->fp, resume_pc(fiber)};
}

Frame function_at(uint64_t code) {
  const CodeReader reader;
  const CodeSites* sites = reader.find(code);
  const FunctionRange* function = sites == nullptr ? nullptr : sites->function_at(code);
  return function == nullptr ? Frame{-1, -1, -1} : Frame{sites->id, static_cast<int32_t>(function->number), -1};
}

class Inspection {
 public:
  Inspection(Runtime* runtime, size_t most) : runtime_(runtime), most_(most) {}

  FiberTree finish() {
    Records& records = runtime_->records;
    // Without memory for more the tree has what it has, and the total says so.
    attempt([&] {
      active_chains();
      for (uint64_t i = 1; i < records.end() && !full(); i++) record(records.base() + i);
    });
    tree_.total = records.live();
    runtime_->taken_entries().each([this](const EntryFiber&) { tree_.total++; });
    return std::move(tree_);
  }

 private:
  bool full() const { return tree_.fibers.size() >= most_; }

  /// The chains that run: the innermost entry's, then those that wait for the host to come back from a call.
  void active_chains() {
    const VMThread& thread = runtime_->thread;
    const VMFiber* leaf = thread.current;
    Place place{thread.exit_sp, thread.exit_fp, thread.exit_pc};
    const VMHostFunction* import = runtime_->running_import;
    for (const auto* entry = static_cast<const OuterEntry*>(thread.entry); entry != nullptr; entry = entry->outer) {
      const FiberState state = entry == runtime_->stopped ? FiberState::Running : FiberState::Calling;
      // Between two entries of the host's no fiber is current, though an entry waits.
      if (leaf != nullptr) chain(leaf, place, entry->suspended_current, {state, import, 0});
      leaf = entry->suspended_current;
      place = {entry->exit_sp, entry->exit_fp, entry->exit_pc};
      import = entry->import;
    }
  }

  /// What the innermost fiber of a chain does; the others wait for it.
  struct Activity {
    FiberState state;
    const VMHostFunction* import;
    uint64_t parked;
  };

  /// A record that no running chain has.
  void record(const VMContinuation* record) {
    switch (static_cast<State>(record->state)) {
      case State::Fresh:
        return fresh(record);
      case State::Suspended:
        return waiting_chain(record, {FiberState::Suspended, nullptr, 0});
      case State::Parked:
        // The chain's record, which is its outermost fiber's, has the word; in the innermost one's there may be anything.
        return waiting_chain(record, {FiberState::Parked, nullptr, *at<uint64_t>(record->slots)});
      default:
        return;
    }
  }

  void waiting_chain(const VMContinuation* record, Activity activity) {
    if (is_copied(record)) return copied_chain(record, activity);
    chain(record->leaf, saved_in(record->fiber), nullptr, activity);
  }

  void fresh(const VMContinuation* record) {
    FiberReport report;
    report.record = record;
    report.start = record->function;
    report.function = function_at(record->function->code);
    tree_.fibers.push_back(std::move(report));
  }

  /// From the leaf, which stopped at `place`, to the outermost fiber; `outer` waits for that one by a call of the host's.
  void chain(const VMFiber* leaf, Place place, const VMFiber* outer, Activity activity) {
    for (const VMFiber* fiber = leaf; !is_host(fiber) && !full(); fiber = fiber->parent) {
      const bool outermost = is_host(fiber->parent);
      const VMFiber* parent = outermost ? outer : fiber->parent;
      FiberReport report = report_of(fiber, place);
      report.parent = is_host(parent) ? 0 : parent->id;
      report.entered = outermost && report.parent != 0;
      add(std::move(report), &activity);
      place = saved_in(fiber);
    }
  }

  /// The same of a chain whose frames are in a copy.
  void copied_chain(const VMContinuation* record, Activity activity) {
    ChainCopy* copy = copy_of(record);
    // A number is given when a version is resumed first.
    const bool numbered = !copy->shared() || copy->is_of(record);
    Place place = {copy->begin()->from, copy->outermost().fp, copy->outermost().pc};
    for (const SavedFiber* part = copy->begin(); part != copy->end() && !full(); part++) {
      // Its block may be that of another version, or nothing, now.
      VMFiber block = {};
      block.start_code = part->function->code;
      block.stack = part->stack;
      block.id = part->id;
      const bool outermost = part == &copy->outermost();
      FiberReport report = report_of(&block, place, part->copy - part->from);
      report.record = outermost ? record : part->record;
      report.start = part->function;
      report.hibernated = true;
      report.versions = copy->versions + (has_source(copy) ? 1 : 0);
      report.parent = outermost || !numbered ? 0 : (part + 1)->id;
      if (!numbered) report.copy_of = std::exchange(report.id, 0);
      add(std::move(report), &activity);
      if (!outermost) place = {(part + 1)->from, part->fp, part->pc};
    }
  }

  /// Whether what was copied lies on its stacks as it was.
  static bool has_source(ChainCopy* copy) {
    return copy->source != nullptr && copy->source->generation == copy->generation && copy->source->fiber != nullptr;
  }

  /// Adds the next fiber of a chain, from the innermost out.
  void add(FiberReport report, Activity* activity) {
    report.state = activity->state;
    report.import = activity->import;
    report.parked = activity->parked;
    report.buffer = buffer_of(report.record);
    tree_.fibers.push_back(std::move(report));
    *activity = {FiberState::Resuming, nullptr, 0};
  }

  /// The buffer that a record's chain lies in, for the program of the function that it began with; -1 for none.
  int64_t buffer_of(const VMContinuation* record) {
    if (record == nullptr || record->index == 0 || record->state != static_cast<uint32_t>(State::Suspended)) return -1;
    const VMFunction* start = record->function;
    constexpr uint32_t kOfNoInstance = 1 | kFunctionIsTag;
    if (start == nullptr || (start->flags & kOfNoInstance) != 0) return -1;
    const auto* instance = static_cast<const VMInstance*>(start->context);
    auto [buffers, is_new] = buffers_.try_emplace(instance);
    if (is_new && instance->fibers != nullptr) {
      static_cast<const FiberTable*>(instance->fibers)->asyncify.each([&table = buffers->second](const AsyncifyCalls::Call& call) {
        table.emplace(call.handle & ((uint64_t{1} << kHandleIndexBits) - 1), static_cast<int64_t>(call.buffer));
      });
    }
    const auto found = buffers->second.find(record->index);
    return found == buffers->second.end() ? -1 : found->second;
  }

  static FiberReport report_of(const VMFiber* fiber, Place place, uint64_t distance = 0) {
    const StackSpan& span = static_cast<const Stack*>(fiber->stack)->span;
    const SpanUsage usage = usage_of(span);
    FiberReport report;
    report.id = fiber->id;
    report.record = fiber->record;
    report.start = fiber->record == nullptr ? nullptr : fiber->record->function;
    report.function = function_at(fiber->start_code);
    report.stack_size = span.top - span.limit;
    // A fiber that was set aside before its first instruction has used nothing.
    report.stack_used = place.sp >= span.base && place.sp <= span.top ? span.top - place.sp : 0;
    report.stack_high_water = usage.high_water;
    report.stack_resident = usage.resident;
    report.frames = walk_fiber(fiber, place.fp, place.pc - 1, distance);
    return report;
  }

  Runtime* runtime_;
  size_t most_;
  FiberTree tree_;
  /// The buffers of each instance's suspended calls, by the indices of their records.
  std::unordered_map<const VMInstance*, std::unordered_map<uint64_t, int64_t>> buffers_;
};

}  // namespace

FiberTree inspect_fibers(Runtime* runtime, size_t most) {
  return Inspection(runtime, most).finish();
}

}  // namespace heddle
