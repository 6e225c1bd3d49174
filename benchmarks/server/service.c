// A small service in blocking style: a request's path is parsed, two rows are waited for, a page is rendered. What it keeps lies on the stack.
#include <stddef.h>
#include <stdint.h>

#define IMPORT(name) __attribute__((import_module("service"), import_name(#name)))
#define EXPORT(name) __attribute__((export_name(#name)))

enum { PATH = 128, ROW = 256, PAGE = 2048, AREA = 8192, ALIGNMENT = 16, REPORT_ROWS = 100000 };
enum { USERS, ORDERS };

// The path of a request; its length.
IMPORT(path) int32_t service_path(int32_t request, char *to, int32_t size);
// The text of a row; its length. Waits.
IMPORT(find) int32_t service_find(int32_t request, int32_t table, int32_t key, char *to, int32_t size);
// Part of the answer. Waits where the client is slow.
IMPORT(write) void service_write(int32_t request, const char *from, int32_t size);

// The answer is whole.
IMPORT(end) void service_end(int32_t request);

// Where calls that wait share one stack pointer, each takes its own back when it goes on. Heddle does that itself.
#ifdef OWN_STACKS
static uintptr_t stack_pointer(void) {
  uintptr_t pointer;
  __asm__ volatile("global.get __stack_pointer\n\tlocal.set %0" : "=r"(pointer));
  return pointer;
}
static void set_stack_pointer(uintptr_t pointer) { __asm__ volatile("local.get %0\n\tglobal.set __stack_pointer" ::"r"(pointer)); }
#else
static uintptr_t stack_pointer(void) { return 0; }
static void set_stack_pointer(uintptr_t pointer) { (void)pointer; }
#endif

static int32_t find(int32_t request, int32_t table, int32_t key, char *to, int32_t size) {
  const uintptr_t pointer = stack_pointer();
  const int32_t length = service_find(request, table, key, to, size);
  set_stack_pointer(pointer);
  return length;
}

static void write_out(int32_t request, const char *from, int32_t size) {
  const uintptr_t pointer = stack_pointer();
  service_write(request, from, size);
  set_stack_pointer(pointer);
}

// Areas of one size, for stacks: those that were given back, and then new memory.
extern char __heap_base;
static uintptr_t free_areas, unused, memory_end;

EXPORT(allocate) void *allocate(uint32_t size) {
  if (size > AREA) return NULL;
  if (free_areas != 0) {
    const uintptr_t area = free_areas;
    free_areas = *(uintptr_t *)area;
    return (void *)area;
  }
  if (unused == 0) {
    unused = ((uintptr_t)&__heap_base + ALIGNMENT - 1) & -(uintptr_t)ALIGNMENT;
    memory_end = __builtin_wasm_memory_size(0) << 16;
  }
  if (memory_end - unused < AREA) {
    if (__builtin_wasm_memory_grow(0, 16) == (size_t)-1) return NULL;
    memory_end += 16 << 16;
  }
  const uintptr_t area = unused;
  unused += AREA;
  return (void *)area;
}

EXPORT(release) void release(void *area) {
  *(uintptr_t *)area = free_areas;
  free_areas = (uintptr_t)area;
}

// A page as it is written.
struct page {
  char *at, *end;
};

static void put(struct page *page, char c) {
  if (page->at < page->end) *page->at++ = c;
}

static void text(struct page *page, const char *from) {
  while (*from != 0) put(page, *from++);
}

static void escaped(struct page *page, const char *from, int32_t length) {
  for (int32_t i = 0; i < length; i++) {
    if (from[i] == '<') text(page, "&lt;");
    else if (from[i] == '&') text(page, "&amp;");
    else put(page, from[i]);
  }
}

static void number(struct page *page, uint32_t value) {
  char digits[10];
  int32_t count = 0;
  do digits[count++] = (char)('0' + value % 10);
  while ((value /= 10) != 0);
  while (count > 0) put(page, digits[--count]);
}

static void price(struct page *page, uint32_t cents) {
  number(page, cents / 100);
  put(page, '.');
  put(page, (char)('0' + cents / 10 % 10));
  put(page, (char)('0' + cents % 10));
}

// A number in text from *at on, which then is behind it and one more character.
static uint32_t parse(const char *from, int32_t length, int32_t *at) {
  uint32_t value = 0;
  for (; *at < length && from[*at] >= '0' && from[*at] <= '9'; ++*at) value = 10 * value + (uint32_t)(from[*at] - '0');
  ++*at;
  return value;
}

// A row of the table for each line `NUMBER CENTS NAME`; returns what all of them cost.
static uint32_t render_orders(struct page *page, const char *rows, int32_t length) {
  uint32_t total = 0;
  for (int32_t at = 0; at < length;) {
    const uint32_t count = parse(rows, length, &at), cents = parse(rows, length, &at);
    int32_t name = at;
    while (at < length && rows[at] != '\n') at++;
    text(page, "<tr><td>");
    number(page, count);
    text(page, "<td>");
    escaped(page, rows + name, at - name);
    text(page, "<td>");
    price(page, count * cents);
    text(page, "\n");
    total += count * cents;
    at++;
  }
  return total;
}

static void orders(int32_t request, uint32_t key) {
  char user[ROW], rows[ROW], bytes[PAGE];
  const int32_t user_length = find(request, USERS, (int32_t)key, user, ROW);
  const int32_t rows_length = find(request, ORDERS, (int32_t)key, rows, ROW);
  struct page page = {bytes, bytes + PAGE};
  text(&page, "<!doctype html>\n<h1>Orders of ");
  escaped(&page, user, user_length);
  text(&page, "</h1>\n<table>\n");
  const uint32_t total = render_orders(&page, rows, rows_length);
  text(&page, "</table>\n<p>Together ");
  price(&page, total);
  text(&page, "\n");
  write_out(request, bytes, (int32_t)(page.at - bytes));
}

// A long answer, a part at a time.
static void report(int32_t request) {
  char bytes[PAGE];
  for (uint32_t i = 0; i < REPORT_ROWS;) {
    struct page page = {bytes, bytes + PAGE};
    for (; i < REPORT_ROWS && page.end - page.at > 64; i++) {
      number(&page, i);
      text(&page, " times 3 is ");
      number(&page, 3 * i);
      put(&page, '\n');
    }
    write_out(request, bytes, (int32_t)(page.at - bytes));
  }
}

// `/orders/KEY` and `/report`.
EXPORT(serve) void serve(int32_t request) {
  char path[PATH];
  const int32_t length = service_path(request, path, PATH);
  int32_t at = 8;
  if (length > 1 && path[1] == 'r') report(request);
  else orders(request, parse(path, length, &at));
  service_end(request);
}
