// mapFile, sumFile, readEntry, readText: files of compiled code, and Heddle's own JavaScript.
#include <dlfcn.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <ctime>
#include <iterator>
#include <memory>
#include <new>

#include "base/attempt.h"
#include "base/descriptor.h"
#include "base/sum.h"
#include "bindings/digest.h"

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

/// How an entry of the cache begins (ts/compile/entry.ts).
struct EntryHeader {
  uint8_t mark[8];
  uint64_t length;
  uint8_t key[kHash];
  uint8_t hash[kHash];
  uint8_t zeros[48];
};
static_assert(sizeof(EntryHeader) == 128, "as ts/compile/container.ts has it");
constexpr uint8_t kMark[] = {'H', 'E', 'D', 'D', 'L', 'E', 0, 2};
/// What its hash begins with.
constexpr char kSeed[] = "heddle entry\n";
/// Seconds after which the time of an entry that is used is renewed.
constexpr time_t kTouchAfter = 86'400;

/// Whether something is the user's own, and nobody else may write it.
bool is_own(const struct stat& status) {
  return status.st_uid == geteuid() && (status.st_mode & 022) == 0;
}

/// Whether a header's hash is that of what is before it in the header, and of the payload.
bool is_whole(const EntryHeader& header, const uint8_t* payload, size_t size) {
  Sum sum;
  const size_t blocks = size / Sum::kBlock, rest = size % Sum::kBlock;
  sum.add(payload, blocks);
  if (rest > 0) {
    uint8_t last[Sum::kBlock] = {};
    std::memcpy(last, payload + blocks * Sum::kBlock, rest);
    sum.add(last, 1);
  }
  uint8_t start[offsetof(EntryHeader, hash)], seed[sizeof kSeed - 1], lanes[Sum::kBlock], hash[kHash];
  std::memcpy(start, &header, sizeof start);
  std::memcpy(seed, kSeed, sizeof seed);
  std::memcpy(lanes, sum.lanes(), sizeof lanes);
  const Bytes parts[] = {{seed, sizeof seed}, {start, sizeof start}, {lanes, sizeof lanes}};
  return sha256_of(parts, std::size(parts), hash) && std::memcmp(hash, header.hash, kHash) == 0;
}

enum class Found { Entry, Nothing, Other };

/// Reads the entry of a key in a folder: what ts/compile/cache.ts does, in a tenth of the time. `Other` where that has to do it.
Found find_entry(napi_env env, const std::string& folder, const uint8_t* key, uint64_t most, napi_value* payload) {
  struct stat status = {};
  if (lstat(folder.c_str(), &status) != 0 || !S_ISDIR(status.st_mode) || !is_own(status)) return Found::Nothing;
  std::string path;
  const bool well = attempt([&] {
    path = folder + '/';
    for (size_t i = 0; i < kHash; i++) {
      path += "0123456789abcdef"[key[i] >> 4];
      path += "0123456789abcdef"[key[i] & 15];
    }
  });
  if (!well) return Found::Other;
  // No link is followed, and a FIFO of that name does not block.
  const Descriptor file(open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
  if (!file || fstat(file.number(), &status) != 0 || !S_ISREG(status.st_mode) || !is_own(status)) return Found::Nothing;
  const auto size = static_cast<uint64_t>(status.st_size);
  if (size < sizeof(EntryHeader)) return Found::Nothing;
  if (size > most || time(nullptr) - status.st_mtime > kTouchAfter) return Found::Other;
  void* data = nullptr;
  napi_value buffer = nullptr;
  if (napi_create_arraybuffer(env, size, &data, &buffer) != napi_ok) return Found::Other;
  auto* bytes = static_cast<uint8_t*>(data);
  if (!read_all(file.number(), bytes, size, 0)) return Found::Nothing;
  EntryHeader header = {};
  std::memcpy(&header, bytes, sizeof header);
  if (std::memcmp(header.mark, kMark, sizeof kMark) != 0) return Found::Other;
  const uint64_t length = size - sizeof header;
  const bool has_zeros = std::all_of(std::begin(header.zeros), std::end(header.zeros), [](uint8_t byte) { return byte == 0; });
  if (header.length != length || std::memcmp(header.key, key, kHash) != 0 || !has_zeros) return Found::Nothing;
  if (!is_whole(header, bytes + sizeof header, length)) return Found::Nothing;
  const bool made = napi_create_typedarray(env, napi_uint8_array, length, buffer, sizeof header, payload) == napi_ok;
  return made ? Found::Entry : Found::Other;
}

napi_value read_entry(napi_env env, napi_callback_info info) {
  Arguments in(env, info);
  const std::string folder = in.text(0);
  const Bytes key = in.bytes(1);
  const uint64_t most = in.number(2);
  if (in && key.size != kHash) in.fail("a key");
  if (!in) return nullptr;
  napi_value payload = nullptr, other = nullptr;
  const Found found = find_entry(env, folder, key.data, most, &payload);
  if (found == Found::Other) napi_get_boolean(env, false, &other);
  return found == Found::Entry ? payload : other;
}

/// Node's function of that name, which is there since Node 20.4, but in no header of Node-API 9.
using ExternalText = napi_status (*)(napi_env, char*, size_t, napi_finalize, void*, napi_value*, bool*);

void free_text(napi_env, void* text, void*) {
  delete[] static_cast<char*>(text);
}

/// Reads all of a file. Null where it cannot be read.
std::unique_ptr<char[]> read_file(const std::string& path, size_t* size) {
  const Descriptor file(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  struct stat status = {};
  if (!file || fstat(file.number(), &status) != 0 || !S_ISREG(status.st_mode)) return nullptr;
  *size = static_cast<size_t>(status.st_size);
  std::unique_ptr<char[]> text(new (std::nothrow) char[*size]);
  // SAFETY: chars are bytes.
  if (text == nullptr || !read_all(file.number(), reinterpret_cast<uint8_t*>(text.get()), *size, 0)) return nullptr;
  return text;
}

napi_value read_text(napi_env env, napi_callback_info info) {
  static const auto make = reinterpret_cast<ExternalText>(  // SAFETY: the function of that name, as Node declares it.
      dlsym(RTLD_DEFAULT, "node_api_create_external_string_latin1"));
  Arguments in(env, info);
  const std::string path = in.text(0);
  size_t size = 0;
  std::unique_ptr<char[]> text = in && make != nullptr ? read_file(path, &size) : nullptr;
  napi_value result = nullptr;
  bool is_copied = false;
  if (text == nullptr || make(env, text.get(), size, free_text, nullptr, &result, &is_copied) != napi_ok) return nullptr;
  // What was copied is freed already.
  static_cast<void>(text.release());
  return result;
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
  define_functions(env, exports, {{"mapFile", map_file}, {"sumFile", sum_file}, {"readEntry", read_entry}, {"readText", read_text}});
}

}  // namespace heddle
