#include "trap/watchdog.h"

#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>
#include <time.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <vector>

namespace heddle {

namespace {

constexpr uint64_t kNever = ~uint64_t{0};
/// Above every stack pointer, and far enough from the end that a prologue may add its frame's size to it.
constexpr uint64_t kRaisedLimit = uint64_t{1} << 62;

/// Whether generated code runs at this moment.
bool in_wasm(const Runtime* runtime) {
  return __atomic_load_n(&runtime->thread.in_wasm, __ATOMIC_RELAXED) != 0;
}

/// Whether a call is active: generated code runs, or JavaScript that it called.
bool has_entry(const Runtime* runtime) {
  return __atomic_load_n(&runtime->thread.entry, __ATOMIC_SEQ_CST) != nullptr;
}

/// Makes the next loop header or prologue fault. Requires: the watchdog's mutex. Generated code may overwrite the limit when it switches
/// stacks; then the page, or the next tick, does it.
void arm_locked(Runtime* runtime) {
  runtime->armed.store(1);
  __atomic_store_n(&runtime->thread.stack_limit, kRaisedLimit, __ATOMIC_RELAXED);
  runtime->poll_page.protect(0, page_size(), PROT_NONE);
}

/// Whether the watchdog's thread waits until it is woken. Not a member, because every call reads it.
std::atomic<bool> asleep{true};

class Watchdog {
 public:
  /// Never destroyed: its thread runs while the process exits.
  static Watchdog& get() {
    static Watchdog* const instance = new Watchdog;
    return *instance;
  }

  void add(Runtime* runtime) {
    const std::lock_guard<std::mutex> lock(mutex_);
    watched_.push_back({runtime, 0, false});
  }

  void remove(Runtime* runtime) {
    const std::lock_guard<std::mutex> lock(mutex_);
    watched_.erase(std::remove_if(watched_.begin(), watched_.end(), [=](const Watched& w) { return w.runtime == runtime; }),
                   watched_.end());
  }

  void wake() {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (!started_) start();
    asleep.store(false);
    changed_.notify_one();
  }

  void arm(Runtime* runtime) {
    const std::lock_guard<std::mutex> lock(mutex_);
    arm_locked(runtime);
  }

  void disarm(Runtime* runtime) {
    const std::lock_guard<std::mutex> lock(mutex_);
    runtime->armed.store(0);
    runtime->poll_page.protect(0, page_size(), PROT_READ);
    if (runtime->thread.current != nullptr) runtime->thread.stack_limit = runtime->thread.current->limit;
  }

 private:
  struct Watched {
    Runtime* runtime;
    uint64_t entries;
    bool inside;
  };

  void start() {
    started_ = true;
    // The process's signals are for its other threads.
    sigset_t all, old;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &old);
    std::thread([this] { run(); }).detach();
    pthread_sigmask(SIG_SETMASK, &old, nullptr);
  }

  void run() {
    pthread_setname_np(pthread_self(), "heddle-watch");
    std::unique_lock<std::mutex> lock(mutex_);
    for (;;) {
      if (!look()) {
        asleep.store(true);
        const auto woken = [this] { return !asleep.load(); };
        // A thread that still read the old value has its entry in the store buffer of its CPU, at the latest; a tick later all see it.
        if (!changed_.wait_for(lock, std::chrono::nanoseconds(kTick), woken) && !anyone_active()) changed_.wait(lock, woken);
        asleep.store(false);
        for (Watched& watched : watched_) watched.inside = false;
        continue;
      }
      changed_.wait_for(lock, std::chrono::nanoseconds(until_next()));
    }
  }

  bool anyone_active() const {
    return std::any_of(watched_.begin(), watched_.end(), [](const Watched& watched) { return has_entry(watched.runtime); });
  }

  /// One look at everybody; whether anything happened since the last.
  bool look() {
    bool busy = false;
    const uint64_t now = now_nanoseconds();
    const bool tick = now - last_tick_ >= kTick / 2;
    for (Watched& watched : watched_) {
      Runtime* runtime = watched.runtime;
      const bool active = has_entry(runtime);
      const bool inside = in_wasm(runtime);
      const uint64_t entries = runtime->entries.load(std::memory_order_relaxed);
      // Twice inside: a long stretch of WebAssembly. A deadline counts also where the call is mostly in JavaScript.
      if ((tick && inside && watched.inside) || (active && runtime->deadline.load() <= now)) arm_locked(runtime);
      busy = busy || active || entries != watched.entries;
      if (tick) watched.inside = inside;
      watched.entries = entries;
    }
    if (tick) last_tick_ = now;
    return busy;
  }

  /// A tick, or the time to the next deadline where that is sooner.
  uint64_t until_next() const {
    const uint64_t now = now_nanoseconds();
    uint64_t wait = kTick;
    for (const Watched& watched : watched_) {
      const uint64_t deadline = watched.runtime->deadline.load();
      if (deadline == kNever) continue;
      // A thread that is past its deadline and not yet out is armed already; it is looked at each millisecond.
      wait = std::min<uint64_t>(wait, deadline > now ? deadline - now : 1'000'000);
    }
    return wait;
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<Watched> watched_;
  bool started_ = false;
  uint64_t last_tick_ = 0;
};

}  // namespace

uint64_t now_nanoseconds() {
  timespec time{};
  clock_gettime(CLOCK_MONOTONIC, &time);
  return static_cast<uint64_t>(time.tv_sec) * 1'000'000'000 + static_cast<uint64_t>(time.tv_nsec);
}

void watch(Runtime* runtime) {
  Watchdog::get().add(runtime);
}

void unwatch(Runtime* runtime) {
  Watchdog::get().remove(runtime);
}

void note_entry() {
  // Without a fence between the entry and this, which would cost a call as much as all the rest of its bookkeeping: run() allows for that.
  if (asleep.load(std::memory_order_relaxed)) Watchdog::get().wake();
}

void note_deadline() {
  Watchdog::get().wake();
}

void disarm(Runtime* runtime) {
  Watchdog::get().disarm(runtime);
}

void arm(Runtime* runtime) {
  Watchdog::get().arm(runtime);
}

}  // namespace heddle
