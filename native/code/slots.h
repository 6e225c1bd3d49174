// Slots: how a function is called that may not be made yet. A slot jumps to where its word says: at first to the rest of the slot, which
// loads the function's number and goes to stub heddle_lazy; later to the function. Nothing but the word ever changes.
#pragma once
#include <cstdint>
#include <cstring>

namespace heddle {

#if defined(__x86_64__)

/// Bytes of a slot.
inline constexpr uint32_t kSlotBytes = 16;
/// Where in it the rest begins.
inline constexpr uint32_t kSlotRest = 6;

/// Writes to `to` the slot that is to lie at `slot`: of the function `number`, whose word is at `word`; the stub is at `lazy`.
inline void write_slot(void* to, uint64_t slot, uint64_t word, uint64_t lazy, uint32_t number) {
  const auto jump = static_cast<uint32_t>(word - (slot + kSlotRest));
  const auto rest = static_cast<uint32_t>(lazy - (slot + kSlotBytes));
  uint8_t bytes[kSlotBytes] = {0xff, 0x25, 0, 0, 0, 0, 0xb8, 0, 0, 0, 0, 0xe9};  // jmp *word(%rip); mov $number, %eax; jmp lazy
  std::memcpy(bytes + 2, &jump, 4);
  std::memcpy(bytes + 7, &number, 4);
  std::memcpy(bytes + 12, &rest, 4);
  std::memcpy(to, bytes, kSlotBytes);
}

#elif defined(__aarch64__)

inline constexpr uint32_t kSlotBytes = 24;
inline constexpr uint32_t kSlotRest = 12;

inline void write_slot(void* to, uint64_t slot, uint64_t word, uint64_t lazy, uint32_t number) {
  const auto pages = static_cast<uint32_t>((word >> 12) - (slot >> 12));
  const auto branch = static_cast<uint32_t>((lazy - (slot + kSlotBytes - 4)) >> 2);
  const uint32_t words[kSlotBytes / 4] = {
      0x90000010 | (pages & 3) << 29 | (pages >> 2 & 0x7ffff) << 5,   // adrp x16, word
      0xf9400210 | static_cast<uint32_t>((word & 0xfff) >> 3) << 10,  // ldr x16, [x16, word]
      0xd61f0200,                                                     // br x16
      0x52800011 | (number & 0xffff) << 5,                            // movz w17, number
      0x72a00011 | number >> 16 << 5,                                 // movk w17, number, lsl 16
      0x14000000 | (branch & 0x3ffffff),                              // b lazy
  };
  std::memcpy(to, words, kSlotBytes);
}

#endif

}  // namespace heddle
