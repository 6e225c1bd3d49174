// sha256, random: what a start would otherwise load Node's crypto module for, which takes it 4 to 10 ms.
#include <dlfcn.h>
#include <sys/random.h>

#include <cerrno>
#include <cstring>

#include "bindings/digest.h"

namespace heddle {

namespace {

/// As many ranges as a call may give.
constexpr size_t kMostParts = 8;
/// getrandom gives so many at once, without being interrupted.
constexpr size_t kMostRandom = 256;

/// OpenSSL's functions, which Node gives to addons. Null where its OpenSSL is another's.
struct OpenSsl {
  using Method = const void* (*)();
  using New = void* (*)();
  using Free = void (*)(void* context);
  using Begin = int (*)(void* context, const void* method, void* engine);
  using Update = int (*)(void* context, const void* bytes, size_t size);
  using End = int (*)(void* context, unsigned char* hash, unsigned* size);

  Method sha256 = find<Method>("EVP_sha256");
  New make = find<New>("EVP_MD_CTX_new");
  Free free = find<Free>("EVP_MD_CTX_free");
  Begin begin = find<Begin>("EVP_DigestInit_ex");
  Update update = find<Update>("EVP_DigestUpdate");
  End end = find<End>("EVP_DigestFinal_ex");

  explicit operator bool() const {
    return sha256 != nullptr && make != nullptr && free != nullptr && begin != nullptr && update != nullptr && end != nullptr;
  }

 private:
  template <typename Function>
  static Function find(const char* name) {
    return reinterpret_cast<Function>(dlsym(RTLD_DEFAULT, name));  // SAFETY: the function of that name, as OpenSSL declares it.
  }
};

}  // namespace

bool sha256_of(const Bytes* parts, size_t count, uint8_t* result) {
  static const OpenSsl openssl;
  if (!openssl) return false;
  void* context = openssl.make();
  if (context == nullptr) return false;
  bool well = openssl.begin(context, openssl.sha256(), nullptr) == 1;
  for (size_t i = 0; well && i < count; i++) well = openssl.update(context, parts[i].data, parts[i].size) == 1;
  well = well && openssl.end(context, result, nullptr) == 1;
  openssl.free(context);
  return well;
}

namespace {

bool is_given(napi_env env, napi_value value) {
  napi_valuetype type = napi_undefined;
  return value != nullptr && napi_typeof(env, value, &type) == napi_ok && type != napi_undefined;
}

napi_value sha256(napi_env env, napi_callback_info info) {
  Arguments in(env, info);
  Bytes parts[kMostParts];
  size_t count = 0;
  while (count < kMostParts && is_given(env, in.value(count))) {
    parts[count] = in.bytes(count);
    count++;
  }
  uint8_t result[kHash];
  if (!in || !sha256_of(parts, count, result)) return nullptr;
  void* bytes = nullptr;
  napi_value buffer = nullptr;
  if (napi_create_arraybuffer(env, kHash, &bytes, &buffer) != napi_ok) return nullptr;
  std::memcpy(bytes, result, kHash);
  return buffer;
}

napi_value random(napi_env env, napi_callback_info info) {
  Arguments in(env, info);
  const uint64_t size = in.number(0);
  if (!in || size > kMostRandom) return nullptr;
  uint8_t result[kMostRandom];
  ssize_t got = 0;
  do got = getrandom(result, size, 0);
  while (got < 0 && errno == EINTR);
  if (got != static_cast<ssize_t>(size)) return nullptr;
  void* bytes = nullptr;
  napi_value buffer = nullptr;
  if (napi_create_arraybuffer(env, size, &bytes, &buffer) != napi_ok) return nullptr;
  std::memcpy(bytes, result, size);
  return buffer;
}

}  // namespace

void define_digest_functions(napi_env env, napi_value exports) {
  define_functions(env, exports, {{"sha256", sha256}, {"random", random}});
}

}  // namespace heddle
