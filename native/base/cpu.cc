#include <string>
#include <vector>

#include "base/system.h"

#if defined(__aarch64__)
#include <sys/auxv.h>
#endif

namespace heddle {

#if defined(__x86_64__)

std::vector<std::string> cpu_features() {
  __builtin_cpu_init();
  std::vector<std::string> names;
  // __builtin_cpu_supports also asks the kernel (xgetbv) whether the wide registers are saved.
#define FEATURE(gcc, cranelift) \
  if (__builtin_cpu_supports(gcc)) names.emplace_back(cranelift)
  FEATURE("sse3", "has_sse3");
  FEATURE("ssse3", "has_ssse3");
  FEATURE("sse4.1", "has_sse41");
  FEATURE("sse4.2", "has_sse42");
  FEATURE("popcnt", "has_popcnt");
  FEATURE("avx", "has_avx");
  FEATURE("avx2", "has_avx2");
  FEATURE("fma", "has_fma");
  FEATURE("bmi", "has_bmi1");
  FEATURE("bmi2", "has_bmi2");
  FEATURE("avx512bitalg", "has_avx512bitalg");
  FEATURE("avx512dq", "has_avx512dq");
  FEATURE("avx512f", "has_avx512f");
  FEATURE("avx512vbmi", "has_avx512vbmi");
  FEATURE("avx512vl", "has_avx512vl");
#undef FEATURE
  unsigned a = 0x80000001, b = 0, c = 0, d = 0;
  __asm__("cpuid" : "+a"(a), "=b"(b), "=c"(c), "=d"(d));
  if ((c & (1u << 5)) != 0) names.emplace_back("has_lzcnt");
  a = 1;
  c = 0;
  __asm__("cpuid" : "+a"(a), "=b"(b), "+c"(c), "=d"(d));
  if ((c & (1u << 13)) != 0) names.emplace_back("has_cmpxchg16b");
  return names;
}

#elif defined(__aarch64__)

std::vector<std::string> cpu_features() {
  const unsigned long capabilities = getauxval(AT_HWCAP);
  std::vector<std::string> names;
  if ((capabilities & (1ul << 8)) != 0) names.emplace_back("has_lse");    // HWCAP_ATOMICS
  if ((capabilities & (1ul << 10)) != 0) names.emplace_back("has_fp16");  // HWCAP_ASIMDHP
  return names;
}

#else
#error "Heddle has assembly for x86-64 and aarch64 only"
#endif

std::string cpu_name() {
  const std::string text = read_file("/proc/cpuinfo");
  for (const char* key : {"model name", "CPU implementer"}) {
    const size_t found = text.find(key);
    if (found == std::string::npos) continue;
    const size_t colon = text.find(':', found);
    const size_t end = text.find('\n', found);
    if (colon < end && end != std::string::npos) return text.substr(colon + 2, end - colon - 2);
  }
  return "unknown";
}

}  // namespace heddle
