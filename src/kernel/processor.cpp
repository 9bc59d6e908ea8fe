#include "processor.hpp"

#if defined(ETAMU_AMX)
#include <cpuid.h>
#include <sys/syscall.h>
#include <unistd.h>
#endif

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

bool matrix_unit() {
#if defined(ETAMU_AMX)
    // Its registers are 8 KB that Linux saves only for a process that has asked: Linux 5.16 and later, where every
    // thread's signal stack has room for them. Other threads, also later ones, may use them then.
    constexpr long REQUEST = 0x1023, REGISTERS = 18;  // ARCH_REQ_XCOMP_PERM, XFEATURE_XTILEDATA
    static const bool granted = [] {
        unsigned a = 0, b = 0, c = 0, d = 0;
        constexpr unsigned BFLOAT16 = 1u << 22, TILES = 1u << 24, BYTES = 1u << 25;
        if (vector_width() != "avx512" || !__get_cpuid_count(7, 0, &a, &b, &c, &d)) return false;
        if (!(d & BFLOAT16) || !(d & TILES) || !(d & BYTES)) return false;
        return syscall(SYS_arch_prctl, REQUEST, REGISTERS) == 0;
    }();
    return granted;
#else
    return false;
#endif
}

}  // namespace etamu
