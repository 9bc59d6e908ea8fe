// Texts into codes: columns of text are read once, and each row becomes a small integer.
//
// The same string object often stands in many rows, so a table of pointers seen lately answers first; a string that is
// new to it is looked up by hash and content. Nothing here knows what the levels mean: Python sorts and names them.

#include <nanobind/nanobind.h>

#include <cstdint>
#include <cstring>
#include <stdexcept>
#include <vector>

namespace nb = nanobind;

namespace {

// An array seen through the buffer protocol, of one dimension and any stride.
class View {
   public:
    View(nb::handle array, bool writable) {
        const int flags = PyBUF_STRIDES | PyBUF_FORMAT | (writable ? PyBUF_WRITABLE : 0);
        if (PyObject_GetBuffer(array.ptr(), &view_, flags) != 0) throw nb::python_error();
        if (view_.ndim != 1) {
            PyBuffer_Release(&view_);
            throw nb::value_error("expected an array of one dimension");
        }
    }
    View(const View&) = delete;
    View& operator=(const View&) = delete;
    ~View() { PyBuffer_Release(&view_); }

    Py_ssize_t rows() const { return view_.shape[0]; }
    Py_ssize_t size() const { return view_.itemsize; }
    const char* at(Py_ssize_t row) const { return static_cast<const char*>(view_.buf) + row * view_.strides[0]; }
    bool dense() const { return view_.strides[0] == view_.itemsize || rows() < 2; }
    bool is_signed() const { return std::strchr("bhilq", kind()) != nullptr; }
    bool is_unsigned() const { return std::strchr("BHILQ?", kind()) != nullptr; }

    template <typename T>
    T* out(Py_ssize_t expected) const {
        if (!dense() || size() != static_cast<Py_ssize_t>(sizeof(T)) || rows() != expected)
            throw nb::value_error("the array for the result has another size");
        return static_cast<T*>(view_.buf);
    }

   private:
    char kind() const {
        const char* format = view_.format ? view_.format : "B";
        while (*format == '@' || *format == '=' || *format == '<') ++format;
        return *format;
    }

    Py_buffer view_{};
};

// Open addressing by hash; the owner keeps what the codes stand for and says whether two are the same.
class Codes {
   public:
    Codes() : slots_(64, Slot{0, -1}) {}

    // The code of a thing by its hash, given how to compare it with the thing of a code; a new code if it is new.
    template <typename Same>
    std::int32_t find(std::uint64_t hash, Same same) {
        for (std::size_t place = hash & (slots_.size() - 1);; place = (place + 1) & (slots_.size() - 1)) {
            Slot& slot = slots_[place];
            if (slot.code < 0) {
                if (count_ == INT32_MAX) throw std::overflow_error("too many distinct texts");
                slot = Slot{hash, count_++};
                const std::int32_t code = slot.code;
                if (2 * static_cast<std::size_t>(count_) > slots_.size()) grow();
                return code;
            }
            if (slot.hash == hash && same(slot.code)) return slot.code;
        }
    }

    std::int32_t count() const { return count_; }

   private:
    struct Slot {
        std::uint64_t hash;
        std::int32_t code;
    };

    void grow() {
        std::vector<Slot> old(4 * slots_.size(), Slot{0, -1});
        old.swap(slots_);
        for (const Slot& slot : old) {
            if (slot.code < 0) continue;
            std::size_t place = slot.hash & (slots_.size() - 1);
            while (slots_[place].code >= 0) place = (place + 1) & (slots_.size() - 1);
            slots_[place] = slot;
        }
    }

    std::vector<Slot> slots_;
    std::int32_t count_ = 0;
};

std::uint64_t mixed(std::uint64_t value) {
    value ^= value >> 32;
    value *= 0xd6e8feb86659fd93u;
    value ^= value >> 32;
    value *= 0xd6e8feb86659fd93u;
    return value ^ (value >> 32);
}

std::uint64_t hash_of(const char* bytes, Py_ssize_t size) {
    std::uint64_t hash = static_cast<std::uint64_t>(size);
    for (; size >= 8; bytes += 8, size -= 8) {
        std::uint64_t word;
        std::memcpy(&word, bytes, 8);
        hash = (hash ^ word) * 0x9e3779b97f4a7c15u;
        hash ^= hash >> 29;
    }
    std::uint64_t word = 0;
    std::memcpy(&word, bytes, static_cast<std::size_t>(size));
    return mixed(hash ^ word);
}

// Strings have one representation each, so that equal strings have equal kinds and bytes.
bool same_text(PyObject* one, PyObject* two) {
    const Py_ssize_t length = PyUnicode_GET_LENGTH(one);
    const int kind = PyUnicode_KIND(one);
    return length == PyUnicode_GET_LENGTH(two) && kind == static_cast<int>(PyUnicode_KIND(two)) &&
           std::memcmp(PyUnicode_DATA(one), PyUnicode_DATA(two), static_cast<std::size_t>(length * kind)) == 0;
}

constexpr std::int32_t OTHER = -2;  // neither text nor missing

// What an object that is no plain string means: -1 where it is None or NaN.
std::int32_t meaning(PyObject* item) {
    if (item == Py_None) return -1;
    if (PyFloat_CheckExact(item)) {
        const double value = PyFloat_AS_DOUBLE(item);
        return value != value ? -1 : OTHER;
    }
    return OTHER;
}

// Code an array of Python strings, None and NaN being -1. Returns the distinct strings in the order they came, or None
// as soon as there is anything else: Python then reads the column in its own way.
nb::object code_objects(nb::handle values, nb::handle codes) {
    struct Recent {
        PyObject* item;
        std::int32_t code;
    };
    constexpr std::size_t RECENT = 2048;  // pointers remembered; a power of two, small enough for the nearest caches

    const View in(values, false);
    const View result(codes, true);
    std::int32_t* out = result.out<std::int32_t>(in.rows());
    if (in.size() != static_cast<Py_ssize_t>(sizeof(PyObject*))) throw nb::value_error("expected an array of objects");
    std::vector<Recent> recent(RECENT, Recent{nullptr, 0});
    std::vector<PyObject*> distinct;  // borrowed: the array holds them, and nothing of Python runs in the loop
    Codes table;
    for (Py_ssize_t row = 0; row < in.rows(); ++row) {
        PyObject* item;
        std::memcpy(&item, in.at(row), sizeof item);
        Recent& known = recent[mixed(reinterpret_cast<std::uintptr_t>(item)) & (RECENT - 1)];
        if (known.item != item || item == nullptr) {
            std::int32_t code;
            if (item != nullptr && PyUnicode_CheckExact(item)) {
                const Py_hash_t hash = PyObject_Hash(item);  // of a plain string: kept in it, cannot fail
                code = table.find(mixed(static_cast<std::uint64_t>(hash)),
                                  [&](std::int32_t other) { return same_text(item, distinct[other]); });
                if (static_cast<std::size_t>(code) == distinct.size()) distinct.push_back(item);
            } else {
                code = item == nullptr ? -1 : meaning(item);
                if (code == OTHER) return nb::none();
            }
            known = Recent{item, code};
        }
        out[row] = known.code;
    }
    nb::list levels;
    for (PyObject* item : distinct) levels.append(nb::borrow(item));
    return std::move(levels);
}

// Code an array of items of fixed size by their bytes. Returns the row in which each code came first.
nb::list code_fixed(nb::handle values, nb::handle codes) {
    const View in(values, false);
    const View result(codes, true);
    std::int32_t* out = result.out<std::int32_t>(in.rows());
    const std::size_t size = static_cast<std::size_t>(in.size());
    std::vector<Py_ssize_t> first;
    {
        nb::gil_scoped_release released;
        Codes table;
        for (Py_ssize_t row = 0; row < in.rows(); ++row) {
            const char* item = in.at(row);
            out[row] = table.find(hash_of(item, in.size()), [&](std::int32_t other) {
                return std::memcmp(item, in.at(first[static_cast<std::size_t>(other)]), size) == 0;
            });
            if (static_cast<std::size_t>(out[row]) == first.size()) first.push_back(row);
        }
    }
    nb::list rows;
    for (Py_ssize_t row : first) rows.append(nb::int_(row));
    return rows;
}

template <typename From, typename To>
bool relabelled(const View& in, const View& lookup, To* out) {
    const To* table = lookup.out<To>(lookup.rows());
    const std::uint64_t levels = static_cast<std::uint64_t>(lookup.rows());
    bool good = true;
    for (Py_ssize_t row = 0; row < in.rows(); ++row) {
        From code;
        std::memcpy(&code, in.at(row), sizeof code);
        const bool known = static_cast<std::uint64_t>(code) < levels;  // a negative code is a huge one
        good &= known || code == static_cast<From>(-1);
        out[row] = known ? table[code] : static_cast<To>(-1);
    }
    return good;
}

template <typename From>
bool relabelled_to(const View& in, const View& lookup, const View& result) {
    switch (result.size()) {
        case 1: return relabelled<From>(in, lookup, result.out<std::int8_t>(in.rows()));
        case 2: return relabelled<From>(in, lookup, result.out<std::int16_t>(in.rows()));
        case 4: return relabelled<From>(in, lookup, result.out<std::int32_t>(in.rows()));
        default: throw nb::value_error("new codes have 8, 16 or 32 bits");
    }
}

template <typename From>
int seen_in(const View& in, bool* seen, std::uint64_t levels) {
    int odd = 0;  // 1: some code is negative, 2: some is beyond the levels
    for (Py_ssize_t row = 0; row < in.rows(); ++row) {
        From code;
        std::memcpy(&code, in.at(row), sizeof code);
        if (static_cast<std::uint64_t>(code) < levels) seen[code] = true;
        else odd |= code < From(1) ? 1 : 2;
    }
    return odd;
}

// Call something with the C++ type of the codes.
template <typename Function>
auto by_type(const View& codes, Function function) {
    if (codes.is_signed()) {
        switch (codes.size()) {
            case 1: return function(std::int8_t{});
            case 2: return function(std::int16_t{});
            case 4: return function(std::int32_t{});
            case 8: return function(std::int64_t{});
        }
    } else if (codes.is_unsigned()) {
        switch (codes.size()) {
            case 1: return function(std::uint8_t{});
            case 2: return function(std::uint16_t{});
            case 4: return function(std::uint32_t{});
            case 8: return function(std::uint64_t{});
        }
    }
    throw nb::type_error("codes must be integers");
}

// Replace every code by the entry of a table, a negative one by -1; the result has the type of the table.
void relabel(nb::handle codes, nb::handle lookup, nb::handle result) {
    const View in(codes, false);
    const View table(lookup, false);
    const View out(result, true);
    bool good = true;
    {
        nb::gil_scoped_release released;
        good = by_type(in, [&](auto type) { return relabelled_to<decltype(type)>(in, table, out); });
    }
    if (!good) throw nb::index_error("a code is beyond the levels");
}

// Mark the levels that some row has. Returns whether any code was negative.
bool levels_seen(nb::handle codes, nb::handle seen) {
    const View in(codes, false);
    const View result(seen, true);
    bool* out = result.out<bool>(result.rows());
    int odd = 0;
    {
        nb::gil_scoped_release released;
        odd = by_type(in, [&](auto type) {
            return seen_in<decltype(type)>(in, out, static_cast<std::uint64_t>(result.rows()));
        });
    }
    if (odd & 2) throw nb::index_error("a code is beyond the levels");
    return odd != 0;
}

}  // namespace

void register_text(nb::module_& module) {
    module.def("code_objects", &code_objects, nb::arg("values"), nb::arg("codes"),
               "Code an array of Python strings; None where it holds anything else but None and NaN.");
    module.def("code_fixed", &code_fixed, nb::arg("values"), nb::arg("codes"),
               "Code an array of items of fixed size; returns the first row of each code.");
    module.def("relabel", &relabel, nb::arg("codes"), nb::arg("lookup"), nb::arg("result"),
               "Replace codes by the entries of a table, negative ones by -1.");
    module.def("levels_seen", &levels_seen, nb::arg("codes"), nb::arg("seen"),
               "Mark the levels that occur; returns whether a code was negative.");
}
