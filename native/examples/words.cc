// A generator in C++ on a Heddle fiber: it walks a text with plain recursion, and whoever asks gets one word at a time.
#include <cstdio>
#include <string>

#include "fiber/coroutine.h"
#include "stacks/lease.h"

using Words = heddle::Coroutine<std::monostate, std::string, int>;

/// Gives each word of `text` to the resumer; returns how many there were.
int give_words(Words& self, const std::string& text) {
  const size_t end = text.find(' ');
  self.suspend(text.substr(0, end));
  return end == std::string::npos ? 1 : 1 + give_words(self, text.substr(end + 1));
}

int main() {
  auto stacks = heddle::Stacks::create(heddle::StackOptions{});
  const heddle::StackLease stack(*stacks);
  if (!stack) return 1;

  Words words(stack.span(), [](Words& self, std::monostate) { return give_words(self, "heddle lifts threads"); });
  for (;;) {
    auto step = words.resume({});
    if (step.done()) {
      std::printf("%d words\n", step.result());
      return 0;
    }
    std::printf("%s\n", step.value().c_str());
  }
}
