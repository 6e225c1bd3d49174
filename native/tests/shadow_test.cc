// Shadow stacks: random calls that begin, wait, go on and end, nested in each other, against a model that knows only who has written which
// bytes.
#include "continuation/shadow.h"

#include <cstdlib>
#include <map>
#include <random>

#include "continuation/runtime.h"
#include "tests/check.h"

using namespace heddle;
using namespace heddle::test;

namespace {

constexpr uint32_t kTop = 1 << 16;
constexpr uint32_t kSize = 2048;

/// Where the areas of a model come from.
enum class Kind { Slices, Blocks, Moves };

/// A global's cell as code sees it.
struct alignas(16) GlobalCell {
  uint32_t pointer = kTop;
  uint32_t below = 0;
  uint32_t beyond = 0;
  uint32_t spare = 0;
};

/// Who wrote each unit of a frame last, in the memory that is moved.
using Owner = uint32_t;
constexpr uint32_t kUnit = sizeof(Owner);

/// A call: its fiber, and the frames that it has, innermost last.
struct Caller {
  VMFiber fiber{};
  std::vector<std::pair<uint32_t, uint32_t>> frames;
};

class Model {
 public:
  Model(Kind kind, uint32_t seed) : memory_(4 * kTop / kUnit), random_(seed) {
    head_.base = address_of(memory_.data());
    head_.bytes = memory_.size() * kUnit;
    instance_.memory0 = &head_;
    std::unique_ptr<ShadowSpace> space;
    if (kind == Kind::Slices) space = make_slices(1024, kTop, kSize);
    if (kind == Kind::Blocks)
      space = make_blocks({[this](uint64_t size, uint64_t*) { return allocate(static_cast<uint32_t>(size)); },
                           [this](uint64_t at) { live_.erase(static_cast<uint32_t>(at)); }},
                          kSize);
    stack_ = std::make_shared<ShadowStack>(&runtime_, &instance_, address_of(&cell_), false, std::move(space));
    stack_->attach();
  }

  /// Runs `steps` of random calls from outside, then ends what waits.
  void run(int steps) {
    for (int i = 0; i < steps; i++) turn(0);
    while (!waiting_.empty()) resume(waiting_.begin()->first, 3, 0);
    EXPECT_EQUAL(cell_.pointer, kTop);
    EXPECT_EQUAL(cell_.beyond, 0u);
    EXPECT_EQUAL(runtime_.thread.entry, nullptr);
  }

  int refused() const { return refused_; }
  size_t most() const { return most_; }

 private:
  uint32_t pick(uint32_t below) { return static_cast<uint32_t>(random_() % below); }

  uint32_t allocate(uint32_t size) {
    if (live_.size() > 200) return 0;
    uint32_t at = kTop;
    while (live_.count(at) != 0) at += kSize + 16;
    live_[at] = size;
    return at + 8 > 4 * kTop - kSize ? 0 : at;
  }

  /// The check that generated code makes.
  bool allowed(uint32_t value) const { return cell_.beyond <= cell_.below - value; }

  /// Puts a frame on the stack as code does. False where that would overflow.
  bool push(Caller* caller, int id) {
    const uint32_t size = 16 * (1 + pick(20));
    const uint32_t value = cell_.pointer - size;
    if (!allowed(value) || value > cell_.pointer) return false;
    for (uint32_t i = value; i < cell_.pointer; i += kUnit) memory_[i / kUnit] = static_cast<Owner>(id);
    caller->frames.emplace_back(value, cell_.pointer);
    cell_.pointer = value;
    return true;
  }

  /// The caller's frames are as it left them, and the pointer is at the innermost.
  void check(const Caller& caller, int id) {
    if (caller.frames.empty()) return;
    EXPECT_EQUAL(cell_.pointer, caller.frames.back().first);
    for (const auto& [low, high] : caller.frames) {
      uint32_t own = 0;
      for (uint32_t i = low; i < high; i += kUnit) own += memory_[i / kUnit] == static_cast<Owner>(id);
      EXPECT_EQUAL(own, (high - low) / kUnit);
    }
  }

  void pop(Caller* caller, int id) {
    if (caller->frames.empty()) return;
    check(*caller, id);
    cell_.pointer = caller->frames.back().second;
    caller->frames.pop_back();
  }

  /// Something that JavaScript may do: a plain call, a call that may wait, or going on with one that does.
  void turn(int depth) {
    const uint32_t what = pick(10);
    if (what < 2) {
      Caller plain;
      const int id = next_++;
      work(&plain, id, depth);
      while (!plain.frames.empty()) pop(&plain, id);
    } else if (what < 6 || waiting_.empty()) {
      const int id = next_++;
      waiting_[id] = std::make_unique<Caller>();
      resume(id, pick(4), depth);
    } else {
      auto chosen = waiting_.begin();
      std::advance(chosen, pick(static_cast<uint32_t>(waiting_.size())));
      resume(chosen->first, pick(4), depth);
    }
  }

  /// Frames come and go; imports do what JavaScript does.
  void work(Caller* caller, int id, int depth) {
    void* outer = runtime_.thread.entry;
    runtime_.thread.entry = this;
    for (uint32_t i = pick(6); i > 0; i--) {
      if (pick(3) == 0)
        pop(caller, id);
      else if (!push(caller, id))
        refused_++;
      if (depth < 3 && pick(6) == 0) {
        turn(depth + 1);
        // Where it has no frames, the pointer may be another area's now.
        check(*caller, id);
      }
    }
    runtime_.thread.entry = outer;
  }

  /// 0 and 1: it waits again; 2: it is given back; 3: it returns.
  void resume(int id, uint32_t ending, int depth) {
    std::unique_ptr<Caller> caller = std::move(waiting_.at(id));
    waiting_.erase(id);
    VMFiber* fiber = &caller->fiber;
    ShadowSwitch shadow(&runtime_);
    EXPECT_EQUAL(shadow.enter(fiber, fiber), 0u);
    check(*caller, id);
    work(caller.get(), id, depth);
    if (ending < 2) {
      EXPECT_EQUAL(shadow.leave(fiber, fiber), 0u);
      waiting_[id] = std::move(caller);
      most_ = std::max(most_, waiting_.size());
    } else {
      while (ending == 3 && !caller->frames.empty()) pop(caller.get(), id);
      shadow.end(fiber, ending == 3);
    }
    if (runtime_.thread.entry == nullptr) shadow.settle();
  }

  std::vector<Owner> memory_;
  VMMemory head_{};
  VMInstance instance_{};
  std::mt19937 random_;
  GlobalCell cell_;
  Runtime runtime_{RuntimeOptions::defaults()};
  std::shared_ptr<ShadowStack> stack_;
  std::map<uint32_t, uint32_t> live_;
  std::map<int, std::unique_ptr<Caller>> waiting_;
  int next_ = 1;
  int refused_ = 0;
  size_t most_ = 0;
};

TEST(slices, "no call overwrites another's frames, in slices of the stack") {
  int refused = 0;
  for (uint32_t seed = 1; seed <= 200; seed++) {
    Model model(Kind::Slices, seed);
    model.run(300);
    refused += model.refused();
    EXPECT(model.most() > 3);
  }
  // There are thirty slices for more calls than that.
  EXPECT(refused > 0);
}

TEST(blocks, "no call overwrites another's frames, in blocks of an allocator") {
  for (uint32_t seed = 1; seed <= 200; seed++) {
    Model model(Kind::Blocks, seed);
    model.run(300);
  }
}

TEST(moves, "no call finds another's frames at its own addresses, where frames are moved") {
  for (uint32_t seed = 1; seed <= 200; seed++) {
    Model model(Kind::Moves, seed);
    model.run(300);
    EXPECT_EQUAL(model.refused(), 0);
    EXPECT(model.most() > 3);
  }
}

TEST(unknown, "of an instance that is not known one call may wait at a time") {
  Runtime runtime(RuntimeOptions::defaults());
  VMInstance instance{};
  auto stack = std::make_shared<ShadowStack>(&runtime, &instance, kShadowAmbiguous);
  stack->attach();
  VMFiber first{}, second{}, elsewhere{};
  first.start_context = second.start_context = address_of(&instance);
  ShadowSwitch shadow(&runtime);
  EXPECT_EQUAL(shadow.enter(&first, &first), 0u);
  // It may call another that does not wait, and that one may not wait then.
  EXPECT_EQUAL(shadow.enter(&second, &second), 0u);
  EXPECT_EQUAL(shadow.leave(&second, &second), uint64_t{kShadowAmbiguous});
  shadow.end(&second, false);
  EXPECT_EQUAL(shadow.leave(&first, &first), 0u);
  // Another may begin and return. While it runs the first may not go on: its frames lie above.
  EXPECT_EQUAL(shadow.enter(&second, &second), 0u);
  EXPECT_EQUAL(shadow.enter(&elsewhere, &elsewhere), 0u);
  shadow.end(&elsewhere, true);
  EXPECT_EQUAL(shadow.enter(&first, &first), uint64_t{kShadowAmbiguous});
  shadow.end(&second, true);
  // Nor may another wait.
  EXPECT_EQUAL(shadow.enter(&second, &second), 0u);
  EXPECT_EQUAL(shadow.leave(&second, &second), uint64_t{kShadowAmbiguous});
  shadow.end(&second, false);
  EXPECT_EQUAL(shadow.enter(&first, &first), 0u);
  shadow.end(&first, true);
  EXPECT_EQUAL(shadow.enter(&second, &second), 0u);
  shadow.end(&second, true);
}

}  // namespace

TEST_MAIN
