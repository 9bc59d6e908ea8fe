// Scratch memory that starts on a cache line.
#pragma once

#include <cstddef>
#include <cstring>
#include <new>

namespace etamu {

// Numbers of T, set to zero, freed with the value. T is double or float.
template <class T>
class Aligned {
   public:
    explicit Aligned(std::size_t count)
        : data_(static_cast<T*>(::operator new(count * sizeof(T) + 1, std::align_val_t(64)))) {
        std::memset(data_, 0, count * sizeof(T));
    }
    Aligned(Aligned&& from) noexcept : data_(from.data_) { from.data_ = nullptr; }
    ~Aligned() { ::operator delete(data_, std::align_val_t(64)); }
    Aligned(const Aligned&) = delete;
    Aligned& operator=(const Aligned&) = delete;

    T* data() { return data_; }
    operator T*() { return data_; }

   private:
    T* data_;
};

}  // namespace etamu
