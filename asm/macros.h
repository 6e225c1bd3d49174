/* Symbol, size and section names of the assembly files. */
#pragma once

/* A routine that the addon's C++ calls by name. Hidden: nothing outside the addon may reach it. */
#define ROUTINE(name)     \
  .globl name;            \
  .hidden name;           \
  .type name, % function; \
  .p2align 5;             \
  name:

#define END(name) .size name, .- name

/* A second entry inside a routine. */
#define ENTRY(name)       \
  .globl name;            \
  .hidden name;           \
  .type name, % function; \
  name:

/* A mark that is data to C++: an end of code to copy. */
#define MARK(name) \
  .globl name;     \
  .hidden name;    \
  name:

/* What heddle_enter returns as kind when the fibers were left by a trap or an error (kEnterLeft in native/base/asm.h). */
#define ENTER_LEFT 0xfffffffe

/* No executable stack. */
#define NO_EXECUTABLE_STACK .section.note.GNU - stack, "", % progbits
