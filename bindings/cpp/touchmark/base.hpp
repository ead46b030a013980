// Views, errors, outcomes, and what owns a handle. Include touchmark.hpp.
#ifndef TOUCHMARK_BASE_HPP
#define TOUCHMARK_BASE_HPP

#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <initializer_list>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include <touchmark.h>

namespace touchmark {

/// Some bytes of somebody else. Made of a string, a vector or array of bytes, or a pointer and a length.
class bytes_view {
  public:
    constexpr bytes_view() noexcept = default;
    constexpr bytes_view(touchmark_bytes bytes) noexcept : data_(bytes.ptr), size_(bytes.len) {}
    bytes_view(const void *data, std::size_t size) noexcept : data_(static_cast<const std::uint8_t *>(data)), size_(size) {}
    bytes_view(const char *text) noexcept : bytes_view(std::string_view(text)) {}
    /// Of whatever has its bytes in one piece: `data()` and `size()`, with elements of one byte.
    template <class Container, class Element = std::remove_pointer_t<decltype(std::declval<const Container &>().data())>,
              class = std::enable_if_t<sizeof(Element) == 1 && !std::is_same_v<Container, bytes_view>>>
    bytes_view(const Container &container) noexcept : bytes_view(static_cast<const void *>(container.data()), container.size()) {}

    const std::uint8_t *data() const noexcept { return data_; }
    std::size_t size() const noexcept { return size_; }
    bool empty() const noexcept { return size_ == 0; }
    const std::uint8_t *begin() const noexcept { return data_; }
    const std::uint8_t *end() const noexcept { return data_ + size_; }
    std::string_view text() const noexcept { return {reinterpret_cast<const char *>(data_), size_}; }
    std::string string() const { return std::string(text()); }
    std::vector<std::byte> bytes() const { return {reinterpret_cast<const std::byte *>(begin()), reinterpret_cast<const std::byte *>(end())}; }
    operator touchmark_bytes() const noexcept { return {data_, size_}; }

  private:
    const std::uint8_t *data_ = nullptr;
    std::size_t size_ = 0;
};

/// The numbers of touchmark.h, TOUCHMARK_STATUS_*.
using status = touchmark_status;

/// "NOT_VERIFIED"; empty for a number that is none.
inline std::string_view status_name(status number) noexcept { return bytes_view(touchmark_status_name(number)).text(); }
/// "0.1.0", of the library that runs.
inline std::string_view version() noexcept { return bytes_view(touchmark_version()).text(); }
/// Of the library that runs; TOUCHMARK_ABI_VERSION is of the header that was compiled.
inline std::uint32_t abi_version() noexcept { return touchmark_abi_version(); }
/// TOUCHMARK_FEATURE_*, of the library that runs.
inline std::uint32_t features() noexcept { return touchmark_features(); }

/// Why something failed.
class error : public std::runtime_error {
  public:
    error(touchmark::status number, touchmark_error *adopted)
        : std::runtime_error(describe(number, adopted)), status_(number), details_(adopted, touchmark_error_free) {}

    touchmark::status status() const noexcept { return status_; }
    /// A code that stays, such as "tuf-expired".
    std::string_view code() const noexcept { return view(touchmark_error_code); }
    std::string_view message() const noexcept { return view(touchmark_error_message); }
    /// status, code, message, hint, retryable and, where a decision refused, report.
    std::string_view json() const noexcept { return view(touchmark_error_json); }

  private:
    static std::string describe(touchmark::status number, const touchmark_error *details) {
        if (details) return bytes_view(touchmark_error_message(details)).string();
        return std::string(touchmark::status_name(number));
    }
    std::string_view view(touchmark_bytes (*of)(const touchmark_error *)) const noexcept {
        return details_ ? bytes_view(of(details_.get())).text() : std::string_view();
    }

    touchmark::status status_;
    std::shared_ptr<const touchmark_error> details_; // copied with the exception
};

namespace detail {

inline std::string copy(std::string_view view) { return std::string(view); }
inline std::string copy(bytes_view view) { return view.string(); }

template <auto Free> struct freed_by {
    template <class T> void operator()(T *handle) const noexcept { Free(handle); }
};
template <class T, auto Free> using owned = std::unique_ptr<T, freed_by<Free>>;

/// What a callback threw during a call, until the call has returned.
class kept {
  public:
    kept() noexcept : outer_(innermost()) { innermost() = this; }
    ~kept() { innermost() = outer_; }
    kept(const kept &) = delete;
    kept &operator=(const kept &) = delete;
    /// `fault`: it says more than that something could not be had, and the library's going on without that is not what was meant.
    static void keep(std::exception_ptr thrown, bool fault) noexcept {
        if (!innermost() || (innermost()->fault_ && !fault)) return;
        innermost()->thrown_ = std::move(thrown);
        innermost()->fault_ = fault;
    }
    /// Throws what was thrown, if the call failed, or if that was a fault.
    void rethrow(bool failed) const {
        if (thrown_ && (failed || fault_)) std::rethrow_exception(thrown_);
    }

  private:
    static kept *&innermost() noexcept {
        thread_local kept *call = nullptr;
        return call;
    }
    kept *outer_;
    std::exception_ptr thrown_;
    bool fault_ = false;
};

} // namespace detail

/// What a `try_` function gives: a value, or why there is none. Whoever overlooks it overlooks a refusal.
template <class T> class [[nodiscard]] outcome {
  public:
    outcome(T value) noexcept : value_(std::move(value)) {}
    outcome(touchmark::status number, touchmark_error *adopted) noexcept : status_(number), error_(adopted) {}

    explicit operator bool() const noexcept { return value_.has_value(); }
    touchmark::status status() const noexcept { return status_; }
    std::string_view code() const noexcept { return bytes_view(touchmark_error_code(error_.get())).text(); }
    std::string_view message() const noexcept { return bytes_view(touchmark_error_message(error_.get())).text(); }
    std::string_view json() const noexcept { return bytes_view(touchmark_error_json(error_.get())).text(); }
    /// The value, which must be there: without one the program ends, and does not go on with what nobody verified.
    T &operator*() noexcept { return value_.value(); }
    T *operator->() noexcept { return &value_.value(); }
    /// The value, out of `std::move(result).value()`. Without one, it throws the error.
    T value() && {
        if (!value_) throw touchmark::error(status_, error_.release());
        return *std::move(value_);
    }

  private:
    std::optional<T> value_;
    touchmark::status status_ = TOUCHMARK_STATUS_OK;
    detail::owned<touchmark_error, touchmark_error_free> error_;
};

/// There is no value but that it succeeded.
struct done {};

/// Says that an object is to own a handle that touchmark.h gave.
struct adopt {};

namespace detail {

template <class F, class... Arguments> outcome<done> attempt(F function, Arguments... arguments) noexcept {
    touchmark_error *error = nullptr;
    status number = function(arguments..., &error);
    if (number != TOUCHMARK_STATUS_OK) return {number, error};
    return done{};
}

/// Calls `function(arguments..., &handle, &error)`, and has an Object own the handle.
template <class Object, class F, class... Arguments> outcome<Object> attempt_to_make(F function, Arguments... arguments) noexcept {
    typename Object::handle_type *handle = nullptr;
    touchmark_error *error = nullptr;
    status number = function(arguments..., &handle, &error);
    if (number != TOUCHMARK_STATUS_OK) return {number, error};
    return Object(adopt{}, handle);
}

template <class F, class... Arguments> void call(F function, Arguments... arguments) {
    touchmark_error *error = nullptr;
    status number = function(arguments..., &error);
    if (number != TOUCHMARK_STATUS_OK) throw touchmark::error(number, error);
}

template <class Object, class F, class... Arguments> Object make(F function, Arguments... arguments) {
    typename Object::handle_type *handle = nullptr;
    touchmark_error *error = nullptr;
    status number = function(arguments..., &handle, &error);
    if (number != TOUCHMARK_STATUS_OK) throw touchmark::error(number, error);
    return Object(adopt{}, handle);
}

} // namespace detail

/// The base of what owns a handle.
template <class T, auto Free> class object {
  public:
    using handle_type = T;
    object(adopt, T *handle) noexcept : handle_(handle) {}
    /// For functions of touchmark.h.
    T *get() const noexcept { return handle_.get(); }

  private:
    detail::owned<T, Free> handle_;
};

/// Some objects of one kind, as an argument: one, `{a, b}`, or a vector of them.
template <class Object> class list_of {
  public:
    struct item {
        item(const Object &object) noexcept : handle(object.get()) {}
        const typename Object::handle_type *handle;
    };
    list_of(const Object &one) : handles_{one.get()} {}
    list_of(std::initializer_list<item> some) {
        for (const item &each : some) handles_.push_back(each.handle);
    }
    list_of(const std::vector<Object> &all) {
        for (const Object &each : all) handles_.push_back(each.get());
    }
    const typename Object::handle_type *const *data() const noexcept { return handles_.data(); }
    std::size_t size() const noexcept { return handles_.size(); }

  private:
    std::vector<const typename Object::handle_type *> handles_;
};

/// Some documents, as an argument: one, `{a, b}`, or a container of what bytes_view is made of. It has views of them.
class bytes_list {
  public:
    template <class One, class = std::enable_if_t<std::is_convertible_v<const One &, bytes_view>>>
    bytes_list(const One &one) : views_{bytes_view(one)} {}
    bytes_list(std::initializer_list<bytes_view> some) : views_(some.begin(), some.end()) {}
    template <class Element, std::enable_if_t<std::is_convertible_v<const Element &, bytes_view>, int> = 0>
    bytes_list(const std::vector<Element> &all) {
        for (const Element &each : all) views_.push_back(bytes_view(each));
    }
    const touchmark_bytes *data() const noexcept { return views_.data(); }
    std::size_t size() const noexcept { return views_.size(); }

  private:
    std::vector<touchmark_bytes> views_;
};

/// Keys and values, as an argument: `{{"key", "value"}}`, a map, or a vector of pairs. It has views of them.
class pair_list {
  public:
    pair_list() = default;
    pair_list(std::initializer_list<std::pair<std::string_view, std::string_view>> some) { take(some); }
    template <class Container, class = typename Container::value_type::second_type> pair_list(const Container &all) { take(all); }
    const touchmark_pair *data() const noexcept { return pairs_.data(); }
    std::size_t size() const noexcept { return pairs_.size(); }

  private:
    template <class Container> void take(const Container &all) {
        for (const auto &[key, value] : all) pairs_.push_back({bytes_view(key), bytes_view(value)});
    }
    std::vector<touchmark_pair> pairs_;
};

/// Bytes that the library made. What was secret is wiped when it is freed.
class buffer : public object<touchmark_buffer, touchmark_buffer_free> {
  public:
    using object::object;
    bytes_view bytes() const noexcept { return touchmark_buffer_bytes(get()); }
    std::string_view text() const noexcept { return bytes().text(); }
    std::string string() const { return bytes().string(); }
};

/// Where a callback puts bytes. It is the library's, and there for the length of the callback.
class sink {
  public:
    explicit sink(touchmark_sink *borrowed) noexcept : sink_(borrowed) {}
    sink(const sink &) = delete;
    sink &operator=(const sink &) = delete;
    /// Throws what ends the callback if that is more than the library takes; it is the library that then says why.
    void append(bytes_view bytes) {
        if (status number = touchmark_sink_append(sink_, bytes); number != TOUCHMARK_STATUS_OK) throw refused(number, nullptr);
    }
    struct refused : error {
        using error::error;
    };

  private:
    touchmark_sink *sink_;
};

namespace detail {

/// Runs what a user gave as a callback. Its exception is kept for the call that it is run in, its message told to the library.
template <class F> touchmark_status guarded(touchmark_sink *out, F &&callback) noexcept {
    try {
        return callback();
    } catch (const sink::refused &full) {
        return full.status();
    } catch (const std::exception &thrown) {
        if (out) touchmark_sink_fail(out, bytes_view(thrown.what()));
        kept::keep(std::current_exception(), dynamic_cast<const std::runtime_error *>(&thrown) == nullptr);
    } catch (...) {
        if (out) touchmark_sink_fail(out, bytes_view("an exception that is no std::exception"));
        kept::keep(std::current_exception(), true);
    }
    return TOUCHMARK_STATUS_CALLBACK_FAILED;
}

/// As `call` and `make`, for functions that run callbacks.
template <class F, class... Arguments> void call_back(F function, Arguments... arguments) {
    kept exceptions;
    outcome<done> result = attempt(function, arguments...);
    exceptions.rethrow(!result);
    std::move(result).value();
}
template <class Object, class F, class... Arguments> Object make_back(F function, Arguments... arguments) {
    kept exceptions;
    outcome<Object> result = attempt_to_make<Object>(function, arguments...);
    exceptions.rethrow(!result);
    return std::move(result).value();
}

} // namespace detail

} // namespace touchmark
#endif
