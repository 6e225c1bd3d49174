{
  "targets": [
    {
      "target_name": "heddle",
      "include_dirs": ["native", "asm", "<!(node -p \"require('node-addon-api').include_dir\")"],
      "sources": [
        "native/base/page.cc",
        "native/base/system.cc",
        "native/base/cpu.cc",
        "native/fiber/fiber.cc",
        "native/stacks/stack.cc",
        "native/stacks/guard.cc",
        "native/stacks/mmap.cc",
        "native/stacks/malloc.cc",
        "native/stacks/pool.cc",
        "native/continuation/records.cc",
        "native/continuation/runtime.cc",
        "native/continuation/libcalls.cc",
        "native/continuation/exceptions.cc",
        "native/continuation/park.cc",
        "native/trap/sites.cc",
        "native/trap/signals.cc",
        "native/trap/alternate_stack.cc",
        "native/trap/watchdog.cc",
        "native/trap/interrupt.cc",
        "native/trap/backtrace.cc",
        "native/trap/entry.cc",
        "native/trap/resumption.cc",
        "native/trap/unwind.cc",
        "native/code/code.cc",
        "native/bindings/arguments.cc",
        "native/bindings/values.cc",
        "native/bindings/engine.cc",
        "native/bindings/host_call.cc",
        "native/bindings/mapped_memory.cc",
        "native/bindings/memory.cc",
        "native/bindings/table.cc",
        "native/bindings/libcalls.cc",
        "native/bindings/exceptions.cc",
        "native/bindings/report_functions.cc",
        "native/bindings/code_functions.cc",
        "native/bindings/object_functions.cc",
        "native/bindings/atomics.cc",
        "native/bindings/call_functions.cc",
        "native/bindings/resumption_functions.cc",
        "native/addon/addon.cc"
      ],
      "defines": ["NAPI_VERSION=8", "NAPI_DISABLE_CPP_EXCEPTIONS", "HEDDLE_GENERATION_START=<!(node -p \"process.env.HEDDLE_GENERATION_START || 0\")"],
      "cflags": ["-O2", "-g1", "-fvisibility=hidden", "-fno-strict-aliasing", "-Wall", "-Wextra", "-Werror"],
      "cflags_cc": ["-std=c++17", "-fno-exceptions", "-fno-rtti"],
      "cflags_cc!": ["-std=gnu++17", "-std=gnu++20"],
      "ldflags": ["-Wl,-z,nodelete", "-Wl,-z,noexecstack", "-Wl,-z,now"],
      "conditions": [
        ["target_arch=='x64'", { "sources": ["asm/x86_64_sysv.S"] }],
        ["target_arch=='arm64'", { "sources": ["asm/aarch64_aapcs64.S"] }]
      ]
    }
  ]
}
