#pragma once

#include "resolver/network.hpp"

#include <chrono>
#include <cstddef>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <vector>

namespace archway::proxy {

/// Wrong credentials, counted by where they come from, so that nobody can try many, also not at
/// once: what is being tried counts as wrong until it is known. An IPv6 client is its /64: it has
/// all the addresses in there. Threads: any.
class Attempts {
 public:
  using Clock = std::chrono::steady_clock;
  static constexpr unsigned failures_max = 10;  ///< in one period
  static constexpr std::chrono::seconds period{60};
  static constexpr std::size_t addresses_max = 4096;

  /// Credentials that are being tried, until this object goes. Must not outlive the Attempts.
  class Attempt {
   public:
    Attempt(Attempts* attempts, const resolver::Address& origin)
        : attempts_(attempts), origin_(origin) {}
    Attempt(Attempt&& other) noexcept;
    Attempt& operator=(Attempt&&) = delete;
    ~Attempt();

    /// They were wrong.
    void failed() { failed_ = true; }

   private:
    Attempts* attempts_;
    resolver::Address origin_;
    bool failed_ = false;
  };

  /// `now` empty: Clock::now.
  explicit Attempts(std::function<Clock::time_point()> now = {});

  /// True when credentials from there are not looked at for a while.
  bool exhausted(const resolver::Address& address) const;
  /// None when as many are being tried from there as may still be wrong: `later` is called once,
  /// from any thread and perhaps from here, when it is worth asking again. It must not call back.
  std::optional<Attempt> begin(const resolver::Address& address, std::function<void()> later);
  /// Credentials from there were wrong.
  void failed(const resolver::Address& address);

 private:
  struct Count {
    unsigned failures = 0;
    unsigned under_way = 0;
    Clock::time_point until = {};
    std::vector<std::function<void()>> later = {};
  };
  unsigned failures_of(const Count& count) const;
  Count& count_of(const resolver::Address& origin);
  void add_failure(Count& count) const;
  void end(const resolver::Address& origin, bool failed);

  std::function<Clock::time_point()> now_;
  mutable std::mutex mutex_;
  std::map<resolver::Address, Count> counts_;
};

}  // namespace archway::proxy
