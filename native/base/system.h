// What the machine and its kernel allow.
#pragma once
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace heddle {

/// Cranelift's names of this CPU's instruction set extensions, such as `has_sse41`; only what the kernel also enables.
std::vector<std::string> cpu_features();
/// The calling thread's own stack: its lowest address and its size; nothing where the system does not say.
struct HostStack {
  uint64_t base = 0;
  uint64_t size = 0;
};
HostStack host_stack();
/// A name for the CPU, for people.
std::string cpu_name();
/// The kernel's release.
std::string kernel_release();
/// Bytes that the kernel may push for a signal (AT_MINSIGSTKSZ; large where the CPU has AVX-512 or AMX).
uint64_t minimum_signal_stack();
/// vm.max_map_count, 0 when unknown.
uint64_t maximum_maps();
/// Bytes of memory that this process may use: the smallest of the machine's, its cgroups' and its address space limit.
uint64_t memory_limit();
/// Bytes of this process that are in memory; 0 when unknown. Takes some microseconds.
uint64_t resident_bytes();
/// Random bytes that are the same as long as this process lives; null where the kernel gives none.
inline constexpr size_t kSecretSize = 32;
const uint8_t* process_secret();
/// The contents of a small file, empty when it cannot be read. (/proc and /sys files say 0 as their size.)
std::string read_file(const char* path);

}  // namespace heddle
