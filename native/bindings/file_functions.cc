// mapFile, sumFile: files of compiled code.
#include <sys/mman.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <iterator>
#include <memory>
#include <new>

#include "base/attempt.h"
#include "base/sum.h"
#include "bindings/arguments.h"

namespace heddle {

namespace {

/// Bytes that are read at once.
constexpr size_t kPiece = size_t{256} << 10;
static_assert(kPiece % Sum::kBlock == 0, "whole blocks");

/// File systems of this machine's own, by statfs: what is mapped from them cannot go away below it but by who may write the file. A
/// server's file may, and reading it then is a SIGBUS.
constexpr uint32_t kLocal[] = {
    0xef53,      // ext2, ext3, ext4
    0x58465342,  // XFS
    0x9123683e,  // Btrfs
    0xf2f52010,  // F2FS
    0x2fc12fc1,  // ZFS
    0xca451a4e,  // bcachefs
    0x01021994,  // tmpfs
    0x794c7630,  // overlayfs
};

bool is_local(int file) {
  struct statfs status = {};
  if (fstatfs(file, &status) != 0) return false;
  return std::find(std::begin(kLocal), std::end(kLocal), static_cast<uint32_t>(status.f_type)) != std::end(kLocal);
}

/// Finalizer of an ArrayBuffer over a file. Code that runs there has the file, too.
void give_back(napi_env, void*, void* hint) {
  delete static_cast<std::shared_ptr<MappedFile>*>(hint);
}

napi_value map_file(napi_env env, napi_callback_info info) {
  Arguments in(env, info);
  const uint64_t descriptor = in.number(0), size = in.number(1);
  if (!in || size == 0 || !is_local(static_cast<int>(descriptor))) return nullptr;
  std::unique_ptr<std::shared_ptr<MappedFile>> owned;
  auto& files = in.engine()->files;
  const bool well = attempt([&] {
    owned = std::make_unique<std::shared_ptr<MappedFile>>(std::make_shared<MappedFile>());
    files.erase(std::remove_if(files.begin(), files.end(), [](const auto& file) { return file.expired(); }), files.end());
    files.push_back(*owned);
  });
  if (!well) return nullptr;
  Mapping& mapping = (*owned)->mapping;
  mapping = Mapping::view(static_cast<int>(descriptor), size);
  if (!mapping) return nullptr;
  napi_value buffer = nullptr;
  if (napi_create_external_arraybuffer(env, at<void>(mapping.base()), size, give_back, owned.get(), &buffer) != napi_ok) return nullptr;
  static_cast<void>(owned.release());
  return buffer;
}

/// Reads all of a piece. False where the file ends before, or cannot be read.
bool read_all(int file, uint8_t* bytes, size_t size, uint64_t from) {
  for (size_t done = 0; done < size;) {
    const ssize_t count = pread(file, bytes + done, size - done, static_cast<off_t>(from + done));
    if (count > 0) done += static_cast<size_t>(count);
    if (count == 0 || (count < 0 && errno != EINTR)) return false;
  }
  return true;
}

bool sum_of(int file, uint64_t start, uint64_t end, Sum* sum) {
  const std::unique_ptr<uint8_t[]> piece(new (std::nothrow) uint8_t[kPiece]);
  if (piece == nullptr) return false;
  for (uint64_t at = start; at < end;) {
    const size_t size = static_cast<size_t>(std::min<uint64_t>(kPiece, end - at));
    if (!read_all(file, piece.get(), size, at)) return false;
    const size_t whole = round_up(size, Sum::kBlock);
    std::memset(piece.get() + size, 0, whole - size);
    sum->add(piece.get(), whole / Sum::kBlock);
    at += size;
  }
  return true;
}

napi_value sum_file(napi_env env, napi_callback_info info) {
  Arguments in(env, info);
  const uint64_t descriptor = in.number(0), start = in.number(1), end = in.number(2);
  Sum sum;
  if (!in || !sum_of(static_cast<int>(descriptor), start, end, &sum)) return nullptr;
  void* bytes = nullptr;
  napi_value buffer = nullptr;
  if (napi_create_arraybuffer(env, Sum::kBlock, &bytes, &buffer) != napi_ok) return nullptr;
  std::memcpy(bytes, sum.lanes(), Sum::kBlock);
  return buffer;
}

}  // namespace

std::shared_ptr<MappedFile> file_with(Engine* engine, const void* address) {
  const uint64_t word = reinterpret_cast<uint64_t>(address);  // SAFETY: an address as a number.
  for (const auto& file : engine->files) {
    const auto found = file.lock();
    if (found != nullptr && word - found->mapping.base() < found->mapping.size()) return found;
  }
  return nullptr;
}

void define_file_functions(napi_env env, napi_value exports) {
  define_functions(env, exports, {{"mapFile", map_file}, {"sumFile", sum_file}});
}

}  // namespace heddle
