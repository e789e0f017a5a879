#pragma once

#include "proxy/access/authorization.hpp"
#include "proxy/access/keyed_hash.hpp"
#include "resolver/model/name.hpp"

#include <chrono>
#include <cstddef>
#include <functional>
#include <mutex>
#include <set>
#include <string>
#include <unordered_map>
#include <utility>

namespace archway::proxy {

/// What upstreams said about clients' credentials and images, remembered by a keyed hash of both;
/// never a credential. In memory alone: a restart forgets it. Threads: any.
class Permits {
 public:
  using Clock = std::chrono::steady_clock;
  /// A refusal is believed for so long: a password that was just mended works soon.
  static constexpr std::chrono::seconds refused_for{10};
  static constexpr std::size_t kept_max = 16'384;  ///< of each word; then the next to end goes

  enum class Word : std::uint8_t { unknown, granted, refused };

  /// `now` empty: Clock::now.
  explicit Permits(std::function<Clock::time_point()> now = {});

  /// What is remembered by.
  std::string key(const ImageName& image, const Shown& shown) const;
  Word find(const std::string& key) const;
  void grant(const std::string& key, std::chrono::seconds recheck);
  void refuse(const std::string& key);

 private:
  /// Keys, and until when.
  class Table {
   public:
    bool holds(const std::string& key, Clock::time_point now) const;
    void erase(const std::string& key);
    /// Whoever is forgotten for want of room is asked for again.
    void keep(const std::string& key, Clock::time_point until);

   private:
    std::unordered_map<std::string, Clock::time_point> ends_;
    std::set<std::pair<Clock::time_point, std::string>> order_;
  };

  std::function<Clock::time_point()> now_;
  KeyedHash hash_;
  mutable std::mutex mutex_;
  Table granted_;
  Table refused_;  // apart, so that guesses push out no permit
};

}  // namespace archway::proxy
