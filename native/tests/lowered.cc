#include "tests/lowered.h"

namespace heddle::test {

/// What heddle_test_enter calls: on a fiber.
extern "C" void heddle_test_body(uint64_t context, uint64_t code, VMFiber* fiber) {
  reinterpret_cast<Body>(code)(at<Context>(context)->thread, fiber);  // SAFETY: make_function put a Body there.
}

}  // namespace heddle::test
