#pragma once

#include "tests/bench/load_plan.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>

struct ssl_ctx_st;
struct ssl_st;
struct ssl_session_st;

namespace archway::bench {

/// One client: asks, takes the answer, asks again. Never blocks; advance() is called whenever its
/// socket may have become ready (edge-triggered), or time has passed for one that is slow.
class LoadConnection {
 public:
  using Clock = std::chrono::steady_clock;

  LoadConnection(const Plan* plan, ssl_ctx_st* tls, int epoll, Tally* tally, std::size_t number);
  ~LoadConnection();
  LoadConnection(const LoadConnection&) = delete;
  LoadConnection& operator=(const LoadConnection&) = delete;

  /// As far as it goes now.
  void advance();
  /// Nothing more will be asked.
  bool over() const { return state_ == State::over; }
  /// It has an answer and keeps its connection.
  bool held() const { return state_ == State::held; }
  /// Leaves what is unfinished; what has come of it counts.
  void stop();

 private:
  enum class State : std::uint8_t { idle, connecting, shaking, asking, head, body, held, over };
  enum class Step : std::uint8_t { on, wait };

  Step begin();
  Step connect();
  Step shake();
  Step ask();
  Step hear_head();
  Step hear_body();
  Step read(std::size_t room, std::size_t& got);
  std::size_t allowance();
  bool may_begin() const;
  void answered();
  void failed(const std::string& why);
  void hang_up();

  const Plan* plan_;
  ssl_ctx_st* context_;
  int epoll_;
  Tally* tally_;
  std::size_t next_target_;
  State state_ = State::idle;
  int fd_ = -1;
  ssl_st* ssl_ = nullptr;
  ssl_session_st* session_ = nullptr;
  std::string out_;
  std::size_t sent_ = 0;
  std::string in_;
  std::uint64_t left_ = 0;
  std::uint64_t taken_ = 0;  // of this answer's body
  Clock::time_point begun_;
};

}  // namespace archway::bench
