// What trust metadata says of a name. Include touchmark.hpp.
#ifndef TOUCHMARK_STANDING_HPP
#define TOUCHMARK_STANDING_HPP

#include "base.hpp"

namespace touchmark {

/// Whose a name is, and what is current under it. Immutable.
class standing : public object<touchmark_standing, touchmark_standing_free> {
  public:
    using object::object;
    std::string json() const { return detail::make<buffer>(touchmark_standing_to_json, get()).string(); }
    /// When the first of the metadata that says so expires, in Unix seconds.
    std::int64_t expires() const noexcept { return touchmark_standing_expires(get()); }
};

} // namespace touchmark
#endif
