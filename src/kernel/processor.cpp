#include "processor.hpp"

namespace etamu {

std::string vector_width() {
#if (defined(__x86_64__) || defined(__i386__)) && (defined(__GNUC__) || defined(__clang__))
    __builtin_cpu_init();
    // Doubles need F for arithmetic and DQ for the integer conversions inside exp and log.
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq")) return "avx512";
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return "avx2";
    return "scalar";
#elif defined(__aarch64__) || defined(_M_ARM64)
    return "neon";  // part of the base instruction set of every 64-bit ARM
#else
    return "scalar";  // a compiler that offers no portable question: claim nothing
#endif
}

}  // namespace etamu
