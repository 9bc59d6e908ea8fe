#include "verbs.hpp"

#include <cstdlib>
#include <cstring>

#include "processor.hpp"

namespace etamu {

namespace base {
const Verbs& table();
}
#if defined(ETAMU_X86)
namespace avx2 {
const Verbs& table();
}
namespace avx512 {
const Verbs& table();
}
#endif
#if defined(ETAMU_AMX)
namespace amx {
const Verbs& table();
}
#endif

const Verbs* verbs_named(const char* name) {
    const std::string widest = vector_width();
    if (std::strcmp(name, "base") == 0) return &base::table();
#if defined(ETAMU_X86)
    if (std::strcmp(name, "avx512") == 0 && widest == "avx512") return &avx512::table();
    if (std::strcmp(name, "avx2") == 0 && (widest == "avx2" || widest == "avx512")) return &avx2::table();
#endif
#if defined(ETAMU_AMX)
    if (std::strcmp(name, "amx") == 0 && matrix_unit()) return &amx::table();
#endif
    return nullptr;
}

namespace {

const Verbs& chosen() {
    const char* asked = std::getenv("ETAMU_ISA");
    for (const char* name : {asked ? asked : "amx", "avx512", "avx2"})
        if (const Verbs* found = verbs_named(name)) return *found;
    return base::table();
}

}  // namespace

const Verbs& verbs() {
    static const Verbs& table = chosen();
    return table;
}

}  // namespace etamu
