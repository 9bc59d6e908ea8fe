// What this processor can do, asked at run time: a wheel is built once and runs on many machines.
#pragma once

#include <string>

namespace etamu {

// Name the widest vector instructions that a kernel may use here: "avx512", "avx2", "neon" or "scalar".
std::string vector_width();

}  // namespace etamu
