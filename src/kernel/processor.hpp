// What this processor can do, asked at run time: a wheel is built once and runs on many machines.
#pragma once

#include <string>

namespace etamu {

// Name the widest vector instructions that a kernel may use here: "avx512", "avx2", "neon" or "scalar".
std::string vector_width();

// Whether this process may use the matrix unit of x86 (AMX) for bfloat16; asks the system for it.
bool matrix_unit();

}  // namespace etamu
