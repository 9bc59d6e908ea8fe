// Memory for large tables, in large pages where the system has them: a page of 4 KiB costs as much to begin as to fill.
#pragma once

#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <new>
#include <utility>

#if defined(__linux__)
#include <sys/mman.h>
#endif

namespace etamu {

// So many numbers of T, freed with the value; zeros only where asked for.
template <class T>
class Large {
   public:
    Large(std::size_t count, bool zeros) {
        constexpr std::size_t PAGE = std::size_t(1) << 21, LINE = 64;
        const std::size_t align = count * sizeof(T) >= 2 * PAGE ? PAGE : LINE;
        const std::size_t bytes = (count * sizeof(T) + align) / align * align;  // never none
        data_ = static_cast<T*>(std::aligned_alloc(align, bytes));
        if (!data_) throw std::bad_alloc();
#if defined(__linux__)
        if (align == PAGE) madvise(data_, bytes, MADV_HUGEPAGE);  // a hint, which may be refused
#endif
        if (zeros) std::memset(data_, 0, count * sizeof(T));
    }
    Large(Large&& from) noexcept : data_(std::exchange(from.data_, nullptr)) {}
    ~Large() { std::free(data_); }
    Large(const Large&) = delete;
    Large& operator=(const Large&) = delete;

    T* data() { return data_; }
    const T* data() const { return data_; }

   private:
    T* data_;
};

}  // namespace etamu
