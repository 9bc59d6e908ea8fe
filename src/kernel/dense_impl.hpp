// The verbs of dense columns; included by isa.cpp once per instruction set.
#pragma once

#include "column.hpp"
#include "dense.hpp"
#include "simd.hpp"

namespace etamu::ETAMU_ISA {

namespace {

inline double at(const double* panel, int row, int j) {
    return panel[(std::ptrdiff_t(j / SLIVER) * TILE + row) * SLIVER + j % SLIVER];
}
inline float at(const float* panel, int row, int j) {
    return panel[(std::ptrdiff_t(j / SLIVER32) * TILE + row) * SLIVER32 + j % SLIVER32];
}

template <class T>
inline double element(const char* from) {
    T value;
    std::memcpy(&value, from, sizeof value);
    return static_cast<double>(value);
}

inline double read(const Column& column, std::int64_t row) {
    const char* from = column.data + row * column.stride;
    switch (column.type) {
        case Type::f64: return element<double>(from);
        case Type::f32: return element<float>(from);
        case Type::i8: return element<std::int8_t>(from);
        case Type::i16: return element<std::int16_t>(from);
        case Type::i32: return element<std::int32_t>(from);
        case Type::i64: return element<std::int64_t>(from);
        case Type::u16: return element<std::uint16_t>(from);
        case Type::u32: return element<std::uint32_t>(from);
        case Type::u64: return element<std::uint64_t>(from);
        case Type::u8:
        case Type::boolean: return element<std::uint8_t>(from);
    }
    return 0;
}

void pack(const Column* columns, int p, std::int64_t start, int m, const double* shift, const double* factor,
          double* panel) {
    for (int j = 0; j < padded(p); ++j)
        for (int r = 0; r < (m + 7) / 8 * 8; ++r) {
            double x = 0;
            if (j < p && r < m) {
                x = read(columns[j], start + r);
                if (shift) x -= shift[j];
                if (factor) x *= factor[j];
            }
            panel[(std::ptrdiff_t(j / SLIVER) * TILE + r) * SLIVER + j % SLIVER] = x;
        }
}

void narrow(const double* panel, int p, int m, float* panel32) {
    for (int j = 0; j < (p + 15) / 16 * 16; ++j)
        for (int r = 0; r < (m + 7) / 8 * 8; ++r)
            panel32[(std::ptrdiff_t(j / SLIVER32) * TILE + r) * SLIVER32 + j % SLIVER32] =
                j < p ? float(at(panel, r, j)) : 0.0f;
}

void panel_matvec(const double* panel, int p, int m, const double* beta, double* eta) {
    for (int j = 0; j < p; ++j)
        for (int r = 0; r < m; ++r) eta[r] += at(panel, r, j) * beta[j];
}

void panel_rmatvec(const double* panel, int p, int m, const double* v, double* out) {
    for (int j = 0; j < p; ++j)
        for (int r = 0; r < m; ++r) out[j] += at(panel, r, j) * v[r];
}

template <class T>
void cross_of(const T* a, int pa, const T* b, int pb, int m, const double* w, double* cross) {
    for (int i = 0; i < pa; ++i)
        for (int j = 0; j < pb; ++j)
            for (int r = 0; r < m; ++r)
                cross[std::ptrdiff_t(i) * padded(pb) + j] += (w ? w[r] : 1.0) * at(a, r, i) * at(b, r, j);
}

void panel_gram(const double* x, int p, int m, const double* w, double* gram) { cross_of(x, p, x, p, m, w, gram); }
void panel_gram32(const float* x, int p, int m, const double* w, double* gram) { cross_of(x, p, x, p, m, w, gram); }
void panel_cross(const double* a, int pa, const double* b, int pb, int m, const double* w, double* cross) {
    cross_of(a, pa, b, pb, m, w, cross);
}
void panel_cross32(const float* a, int pa, const float* b, int pb, int m, const double* w, double* cross) {
    cross_of(a, pa, b, pb, m, w, cross);
}

void bilinear_prepare(const double* matrix, int pa, int pb, bool, double* prepared) {
    for (std::ptrdiff_t k = 0; k < std::ptrdiff_t(pa) * pb; ++k) prepared[k] = matrix[k];
}

void panel_bilinear(const double* a, int pa, const double* b, int pb, int m, const double* prepared, double* out) {
    for (int i = 0; i < pa; ++i)
        for (int j = 0; j < pb; ++j)
            for (int r = 0; r < m; ++r) out[r] += at(a, r, i) * prepared[std::ptrdiff_t(i) * pb + j] * at(b, r, j);
}

void panel_quadratic(const double* panel, int p, int m, const double* prepared, double* out) {
    panel_bilinear(panel, p, panel, p, m, prepared, out);
}

}  // namespace

}  // namespace etamu::ETAMU_ISA
