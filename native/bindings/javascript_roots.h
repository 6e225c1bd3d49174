// What JavaScript keeps alive on the heap, and what the heap keeps alive in JavaScript.
#pragma once
#include <node_api.h>

#include <unordered_map>
#include <vector>

#include "heap/heap.h"

namespace heddle {

class Engine;

/// JavaScript's side of a collection. JavaScript objects stand for objects of the heap (an exported function for its VMFunction): while V8
/// keeps the one, the collector keeps the other. The references to them are weak, so V8 frees them as any other object, and they are looked
/// at in each collection: no event loop has to turn.
class JavaScriptRoots final : public HeapEmbedder {
 public:
  explicit JavaScriptRoots(Engine* engine) : engine_(engine) {}

  /// From now on `object` stands for what `word` refers to. False where N-API refuses.
  bool hold(uint64_t word, napi_value object);
  /// The object that stands for `word`, null when there is none.
  napi_value holder(uint64_t word) const;
  /// From now on each collection lets `cache` go of what it has, by hook `uncache`, for as long as V8 keeps it. False where N-API refuses.
  bool note_cache(napi_value cache);
  /// A weak reference as a strong one again, until the next collection finds out whether an instance needs the memory.
  void use_memory(struct MemoryObject* memory) const;
  /// A tag was freed: JavaScript may forget its name.
  void tag_freed(uint32_t id) { freed_tags_.push_back(id); }
  /// The same for an import that may wait for a promise.
  void import_freed(uint32_t id) { freed_imports_.push_back(id); }
  /// The same for an import of numbers, by HostObject::number.
  void call_freed(uint32_t number) { freed_calls_.push_back(number); }
  size_t holders() const { return holders_.size(); }

  std::vector<MemoryRange> memories() override;
  void mark_roots(Marker* marker) override;
  void marked(Blocks* blocks) override;
  void swept(const std::vector<int32_t>& codes) override;

 private:
  void empty_caches();

  Engine* engine_;
  std::vector<napi_ref> caches_;
  std::unordered_map<uint64_t, napi_ref> holders_;
  std::vector<uint32_t> freed_tags_;
  std::vector<uint32_t> freed_imports_;
  std::vector<uint32_t> freed_calls_;
  std::vector<int32_t> freed_codes_;
};

/// Tells the heap how the objects of this layer are traced and freed.
void define_kinds(Heap* heap);

}  // namespace heddle
