// A test program is a list of named functions; each runs, says what failed, and the process's exit code says whether anything did.
#pragma once
#include <cstdio>
#include <vector>

namespace heddle::test {

struct Case {
  const char* name;
  void (*run)();
};

inline std::vector<Case>& cases() {
  static std::vector<Case> all;
  return all;
}
inline int failures = 0;

struct Register {
  Register(const char* name, void (*run)()) { cases().push_back({name, run}); }
};

inline int run_all() {
  for (const Case& one : cases()) {
    const int before = failures;
    std::printf("%s\n", one.name);
    std::fflush(stdout);
    one.run();
    if (failures != before) std::printf("  FAILED\n");
  }
  std::printf("%zu tests, %d failures\n", cases().size(), failures);
  return failures == 0 ? 0 : 1;
}

}  // namespace heddle::test

/// TEST(name, "what holds") { ... }
#define TEST(name, text)                                           \
  static void name();                                              \
  static const heddle::test::Register register_##name(text, name); \
  static void name()

#define EXPECT(condition)                                                         \
  do {                                                                            \
    if (!(condition)) {                                                           \
      heddle::test::failures++;                                                   \
      std::printf("  %s:%d: %s does not hold\n", __FILE__, __LINE__, #condition); \
    }                                                                             \
  } while (0)

#define EXPECT_EQUAL(actual, expected)                                                                               \
  do {                                                                                                               \
    const auto a_ = (actual);                                                                                        \
    const auto e_ = (expected);                                                                                      \
    if (!(a_ == e_)) {                                                                                               \
      heddle::test::failures++;                                                                                      \
      std::printf("  %s:%d: %s is %lld, not %lld\n", __FILE__, __LINE__, #actual, (long long)(a_), (long long)(e_)); \
    }                                                                                                                \
  } while (0)

#define TEST_MAIN                   \
  int main() {                      \
    return heddle::test::run_all(); \
  }
