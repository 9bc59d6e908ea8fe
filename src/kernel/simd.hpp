// Vectors of doubles and floats, written once and compiled for each instruction set.
//
// Included only by the *_impl.hpp files, which isa.cpp compiles once per instruction set; `Width` is the number of
// bytes of a vector register there. The vectors are those of GCC and Clang: +, -, *, / and comparisons work lane by lane.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#if !defined(__GNUC__) && !defined(__clang__)
#error "etamu's kernel needs the vector extensions of GCC or Clang"
#endif

#if !defined(ETAMU_ISA)
#error "included from isa.cpp only: the names in here live in a namespace per instruction set"
#endif

// Loops of constant length over registers are written out, and small functions put into their callers: neither is left
// to the compiler's judgement, because an array of vectors stays in registers only so.
#if defined(__clang__)
#define ETAMU_UNROLL _Pragma("unroll")
#else
#define ETAMU_UNROLL _Pragma("GCC unroll 32")
#endif
#define ETAMU_INLINE inline __attribute__((always_inline))

namespace etamu::ETAMU_ISA {

#if defined(__AVX512F__)
constexpr std::size_t WIDTH = 64;
#elif defined(__AVX2__)
constexpr std::size_t WIDTH = 32;
#else
constexpr std::size_t WIDTH = 16;  // SSE2 and NEON: part of the base of every 64-bit processor
#endif

typedef double Doubles __attribute__((vector_size(WIDTH)));
typedef float Floats __attribute__((vector_size(WIDTH)));
typedef std::int64_t Longs __attribute__((vector_size(WIDTH)));
typedef std::int32_t Ints __attribute__((vector_size(WIDTH)));

typedef float HalfFloats __attribute__((vector_size(WIDTH / 2)));  // as many lanes as Doubles
typedef std::int32_t HalfInts __attribute__((vector_size(WIDTH / 2)));

constexpr int LANES = WIDTH / sizeof(double);
constexpr int LANES32 = WIDTH / sizeof(float);

// Loads and stores that ask for no alignment; the compiler turns the copy into one instruction.
template <class V, class T>
inline V load(const T* from) {
    V v;
    std::memcpy(&v, from, sizeof v);
    return v;
}

template <class V, class T>
inline void store(T* to, V v) {
    std::memcpy(to, &v, sizeof v);
}

template <class V, class T>
inline V all(T value) {
    return value - V{};  // broadcasts: a scalar meets a vector
}

}  // namespace etamu::ETAMU_ISA
