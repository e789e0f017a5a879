#include "proxy/upstream/body.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>
#include <utility>

namespace archway::proxy {

namespace net = boost::asio;

namespace {

constexpr std::size_t chunk_digits_max = 15;  // fits 64 bits with room to spare
constexpr std::size_t chunk_line_bytes_max = chunk_digits_max + chunk_extension_bytes_max;
constexpr std::uint64_t discarded_bytes_max = 64 * 1024;
// While nobody reads the upstream owes nothing: a slow disk or client is not its silence.
constexpr std::chrono::hours unwatched{24};

bool is_text(std::string_view line) {
  return std::all_of(line.begin(), line.end(), [](char c) {
    return c == '\t' || (static_cast<unsigned char>(c) >= ' ' && c != 0x7f);
  });
}

}  // namespace

Body::Body(std::unique_ptr<Connection> connection, const AnswerHead& head,
           const Settings::Timeouts& timeouts, Keep keep)
    : connection_(std::move(connection)),
      stall_(timeouts.stall),
      minimum_rate_(timeouts.minimum_rate),
      minimum_rate_over_(timeouts.minimum_rate_over),
      keep_(std::move(keep)),
      framing_(head.framing),
      keep_alive_(head.keep_alive) {
  if (framing_ == Framing::chunked) state_ = State::chunk_size;
  if (framing_ == Framing::length) remaining_ = *head.content_length;
  const bool empty = framing_ == Framing::length && remaining_ == 0;
  if (framing_ == Framing::none || empty) {
    finish();
  } else {
    connection_->stream->deadline_in(unwatched);
  }
}

std::chrono::milliseconds Pace::time_for(std::uint64_t bytes) const {
  if (bytes_per_s == 0) return free;
  return std::max(free, std::chrono::milliseconds(bytes * 1000 / bytes_per_s));
}

void Body::keep_pace(Pace pace) {
  pace_ = pace;
  paced_from_ = Clock::now();
  received_before_ = received_;
}

/// The time that passes between two events is the upstream's, what passes elsewhere is not.
class Body::Waiting {
 public:
  explicit Waiting(Body& body) : body_(body), from_(Clock::now()) {}
  Waiting(const Waiting&) = delete;
  Waiting& operator=(const Waiting&) = delete;
  ~Waiting() { body_.waited_ += Clock::now() - from_; }

 private:
  Body& body_;
  Clock::time_point from_;
};

/// True when too little has come for all the waiting. Looked at piece by piece, so that a transfer
/// that was fast once cannot trickle for ever.
bool Body::is_trickle() {
  if (minimum_rate_ == 0 || waited_ < minimum_rate_over_) return false;
  const std::chrono::duration<double> time = std::exchange(waited_, {});
  const auto came = static_cast<double>(received_ - std::exchange(received_then_, received_));
  return came < static_cast<double>(minimum_rate_) * time.count();
}

/// Sets how long the next wait may be; false when there is no time left for one.
bool Body::may_wait() {
  if (is_trickle()) return false;
  auto time = stall_;
  if (pace_) {
    const auto end = paced_from_ + pace_->time_for(received_ - received_before_);
    // Rounded up, so that a wait that ran out did reach the end.
    time = std::min(time, std::chrono::ceil<std::chrono::milliseconds>(end - Clock::now()));
  }
  if (time <= std::chrono::milliseconds(0)) return false;
  connection_->stream->deadline_in(time);
  return true;
}

Error Body::too_slow() {
  return failed({.code = Errc::upstream_unreachable,
                 .origin = Origin::upstream,
                 .message = "the upstream sends too slowly",
                 .context = "too slow after " + std::to_string(received_) + " bytes",
                 .retryable = true});
}

void Body::finish() {
  state_ = State::finished;
  // Bytes behind the end belong to no request: whatever they are, nobody shall take them for an
  // answer.
  const bool reusable = keep_alive_ && framing_ != Framing::until_close &&
                        connection_->received.empty() && connection_->stream->open();
  if (reusable && keep_) {
    keep_(std::move(connection_));
  } else {
    connection_->stream->close();
  }
  connection_.reset();
}

Error Body::failed(Error error) {
  state_ = State::failed;
  if (connection_) connection_->stream->reset();
  connection_.reset();
  return error;
}

Error Body::cut_short() {
  return failed({.code = Errc::upstream_failed,
                 .origin = Origin::upstream,
                 .message = "the upstream ended the transfer before it was complete",
                 .context = "cut short after " + std::to_string(received_) + " bytes",
                 .retryable = true});
}

Error Body::broken(const Error& error) {
  const bool silent = !connection_->stream->open();
  if (!silent) return cut_short();
  if (!may_wait()) return too_slow();
  return failed({.code = Errc::upstream_unreachable,
                 .origin = Origin::upstream,
                 .message = "the upstream stopped sending in the middle of a transfer",
                 .context = error.context + " after " + std::to_string(received_) + " bytes",
                 .retryable = true});
}

net::awaitable<Result<std::size_t>> Body::read(char* buffer, std::size_t size) {
  while (state_ != State::data) {
    if (state_ == State::finished) co_return std::size_t{0};
    if (state_ == State::failed) co_return nonsense("the transfer has failed before");
    const auto line = co_await read_chunk_line();
    if (!line) co_return line.error();
  }
  co_return co_await read_data(buffer, size);
}

net::awaitable<Result<std::size_t>> Body::read_data(char* buffer, std::size_t size) {
  const bool bounded = framing_ != Framing::until_close;
  const auto want =
      bounded ? static_cast<std::size_t>(std::min<std::uint64_t>(size, remaining_)) : size;
  auto& waiting = connection_->received;
  std::size_t got = std::min(want, waiting.size());
  if (got > 0) {
    std::memcpy(buffer, waiting.data(), got);
    waiting.erase(0, got);
  } else {
    if (!may_wait()) co_return too_slow();
    const auto read = co_await wait_for_bytes(buffer, want);
    if (!read) co_return broken(read.error());
    connection_->stream->deadline_in(unwatched);
    got = *read;
    if (got == 0 && bounded) co_return cut_short();
    if (got == 0) finish();
  }
  received_ += got;
  if (!bounded) co_return got;
  remaining_ -= got;
  if (remaining_ == 0) {
    if (framing_ == Framing::length) {
      finish();
    } else {
      state_ = State::chunk_end;
    }
  }
  co_return got;
}

net::awaitable<Result<std::size_t>> Body::wait_for_bytes(char* buffer, std::size_t size) {
  const Waiting waiting(*this);
  co_return co_await connection_->stream->read_some(buffer, size);
}

net::awaitable<Result<void>> Body::read_chunk_line() {
  if (state_ == State::chunk_end) {
    const auto end = co_await read_line(0);
    if (!end) co_return end.error();
    state_ = State::chunk_size;
    co_return Result<void>();
  }
  if (state_ == State::chunk_size) {
    const auto line = co_await read_line(chunk_line_bytes_max);
    if (!line) co_return line.error();
    co_return begin_chunk(*line);
  }
  const auto trailer =
      co_await read_line(trailer_bytes_max - std::min(trailer_bytes_, trailer_bytes_max));
  if (!trailer) co_return trailer.error();
  trailer_bytes_ += trailer->size() + 2;  // with its CRLF, or short lines would be nearly free
  if (trailer->empty()) finish();
  co_return Result<void>();
}

net::awaitable<Result<std::string>> Body::read_line(std::size_t bytes_max) {
  auto& waiting = connection_->received;
  for (;;) {
    const auto end = waiting.find('\n');
    const bool ended = end != std::string::npos;
    if ((ended ? end : waiting.size()) > bytes_max + 1) {  // one more for the CR
      co_return failed(nonsense("a line of the chunked coding is too long"));
    }
    if (ended) {
      const bool good = end > 0 && waiting[end - 1] == '\r';
      std::string line = waiting.substr(0, good ? end - 1 : 0);
      if (!good || !is_text(line)) {
        co_return failed(nonsense("a line of the chunked coding is broken"));
      }
      waiting.erase(0, end + 1);
      co_return line;
    }
    if (!may_wait()) co_return too_slow();
    const Waiting waiting_time(*this);
    const auto got = co_await connection_->receive_more();
    if (!got) co_return broken(got.error());
    if (*got == 0) co_return cut_short();
    connection_->stream->deadline_in(unwatched);
  }
}

Result<void> Body::begin_chunk(const std::string& line) {
  const auto* const begin = line.data();
  const auto* const end = begin + line.size();
  std::uint64_t size = 0;
  const auto [rest, error] = std::from_chars(begin, end, size, 16);
  const auto digits = static_cast<std::size_t>(rest - begin);
  if (error != std::errc() || digits > chunk_digits_max) {
    return failed(nonsense("a chunk has no size"));
  }
  const std::string_view behind(rest, static_cast<std::size_t>(end - rest));
  const auto extension = behind.find_first_not_of(" \t");
  const bool extended = extension != std::string_view::npos;
  // Blanks may stand before an extension only.
  if (extended ? behind[extension] != ';' : !behind.empty()) {
    return failed(nonsense("a chunk's size is followed by something else"));
  }
  remaining_ = size;
  state_ = size == 0 ? State::trailers : State::data;
  return {};
}

net::awaitable<Result<std::string>> Body::read_all(std::size_t bytes_max, Pace pace) {
  keep_pace(pace);
  constexpr std::size_t piece = 64 * 1024;
  std::string whole;
  bool fits = framing_ != Framing::length || remaining_ <= bytes_max;
  while (fits) {
    const auto before = whole.size();
    const auto left = framing_ == Framing::length ? remaining_ : std::uint64_t{piece};
    whole.resize(before + static_cast<std::size_t>(std::clamp<std::uint64_t>(left, 1, piece)));
    const auto got = co_await read(whole.data() + before, whole.size() - before);
    whole.resize(before + (got ? *got : 0));
    if (!got) co_return got.error();
    if (*got == 0) co_return whole;
    fits = whole.size() <= bytes_max;
  }
  Error error = nonsense("a body of more than " + std::to_string(bytes_max) + " bytes");
  error.retryable = false;
  co_return failed(std::move(error));
}

net::awaitable<void> Body::discard(std::chrono::milliseconds time_max) {
  if (framing_ != Framing::length || remaining_ > discarded_bytes_max) co_return;
  keep_pace(Pace{.free = time_max, .bytes_per_s = 0});
  std::array<char, 4096> dropped{};
  while (!finished()) {
    const auto got = co_await read(dropped.data(), dropped.size());
    if (!got) co_return;
  }
}

}  // namespace archway::proxy
