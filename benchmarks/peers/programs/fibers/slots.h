/* Numbers of fibers for implementations that have none of their own: 1 and up, those of freed fibers first. `fiber` has a field `next_free`. */
static fiber fibers[MOST_FIBERS];
static uint32_t first_free, used = 1;

static uint32_t take_slot(void) {
  const uint32_t slot = first_free;
  if (slot != 0) {
    first_free = fibers[slot].next_free;
    return slot;
  }
  if (used == MOST_FIBERS) __builtin_trap();
  return used++;
}

static void free_slot(uint32_t slot) {
  fibers[slot].next_free = first_free;
  first_free = slot;
}
