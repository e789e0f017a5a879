#pragma once

#include <boost/asio/execution_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/intrusive/list.hpp>
#include <chrono>
#include <optional>

namespace archway::proxy {

/// Something that must be over by a point in time. One loop's: not for other threads.
class Expiring : public boost::intrusive::list_base_hook<> {
 public:
  using Clock = std::chrono::steady_clock;

  /// Called once, on the loop, when the deadline has passed.
  virtual void expire() = 0;

  Clock::time_point deadline = Clock::time_point::max();

 protected:
  ~Expiring() = default;
};

/// The deadlines of all connections of one loop under one coarse timer: a timer around each
/// operation costs 1.4 times the CPU of the whole server without (measured), a look at every
/// connection four times a second costs nothing. Ticks only while something is being watched.
///
/// Threads: the loop's. Obtained by boost::asio::use_service.
class Deadlines : public boost::asio::execution_context::service {
 public:
  static constexpr std::chrono::milliseconds tick{250};
  static boost::asio::execution_context::id id;

  explicit Deadlines(boost::asio::execution_context& context);

  /// `executor` must be the loop's own; it runs the timer.
  void watch(Expiring& what, const boost::asio::any_io_executor& executor);
  void forget(Expiring& what) noexcept;

  /// Such a delay is no load: the process was stopped, or the machine slept.
  static constexpr std::chrono::seconds pause_min{5};
  /// Ends what is over at `now`. `planned`: when this look should have been; what was going on
  /// before a pause has as much time left as it had.
  void look(Expiring::Clock::time_point now, Expiring::Clock::time_point planned);

 private:
  void shutdown() noexcept override;
  void arm();

  boost::intrusive::list<Expiring> watched_;
  std::optional<boost::asio::steady_timer> timer_;
  bool armed_ = false;
};

}  // namespace archway::proxy
