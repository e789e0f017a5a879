#include "proxy/http/page_reader.hpp"
#include "proxy/http/stream_tls.hpp"

#include <algorithm>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cerrno>
#include <cstring>
#include <sys/sendfile.h>
#include <unistd.h>
#include <utility>

namespace archway::proxy {

namespace net = boost::asio;

namespace {

// A client faster than this between two waits yields to its neighbours.
constexpr std::uint64_t turn_bytes = 8 * FileWindows::window_bytes;
// What a client takes at least within the bound for stalls: one that takes a byte a second would
// keep its connection for ever.
constexpr std::uint64_t pace_bytes = 64 * 1024;

constexpr auto shorter = "it is shorter than it was";

/// What sendfile(2) says of the file alone; a socket has no such errors. (EUCLEAN and EBADMSG are
/// how file systems say that their own checksums do not fit.)
bool is_of_the_file(int number) {
  return number == EIO || number == EUCLEAN || number == EBADMSG;
}

}  // namespace

net::awaitable<Result<std::uint64_t>> Stream::write_file(FilePart part, PageReader* reader,
                                                         std::chrono::milliseconds stall) {
  // Kernels differ in whether they can encrypt for us; without that the bytes pass through here.
  if (tls_) co_return co_await copy_file(std::move(part), reader, stall);
  co_return co_await send_file(std::move(part), reader, stall);
}

net::awaitable<Result<std::uint64_t>> Stream::send_file(FilePart part, PageReader* reader,
                                                        std::chrono::milliseconds stall) {
  FileWindows windows(part, reader);
  std::uint64_t done = 0;
  std::uint64_t turn = 0;
  std::uint64_t paced = 0;  // sent when the deadline was set
  deadline_in(stall);
  while (done < part.length) {
    auto at = static_cast<off_t>(part.offset + done);
    if (windows.is_cold(part.offset + done)) {
      no_deadline();
      const auto brought = co_await windows.bring();
      if (!brought) co_return brought.error();
      paced = done;
      deadline_in(stall);
    }
    const auto piece = static_cast<std::size_t>(windows.ready(part.offset + done));
    const auto sent =
        expired_ ? -1 : ::sendfile(socket_.native_handle(), part.file->get(), &at, piece);
    if (sent > 0) {
      done += static_cast<std::uint64_t>(sent);
      turn += static_cast<std::uint64_t>(sent);
      if (turn >= turn_bytes) {
        turn = 0;
        paced = done;
        deadline_in(stall);
        co_await net::post(socket_.get_executor(), net::use_awaitable);
      }
      continue;
    }
    if (sent == 0) co_return unreadable(shorter);
    if (errno == EINTR && !expired_) continue;
    if (!expired_ && is_of_the_file(errno)) co_return unreadable(std::strerror(errno));
    if ((errno != EAGAIN && errno != EWOULDBLOCK) || expired_) {
      co_return broken(std::string("sendfile: ") + std::strerror(errno));
    }
    if (done - paced >= pace_bytes) {
      paced = done;
      deadline_in(stall);
    }
    turn = 0;
    const bool awake = co_await ready(Socket::wait_write);
    if (!awake) co_return broken("sendfile");
  }
  co_return done;
}

/// Waits until all that is kept has left.
net::awaitable<bool> Stream::push_out(std::chrono::milliseconds stall) {
  auto left = tls_->unsent.size();
  for (;;) {
    const bool awake = co_await ready(Socket::wait_write);
    if (!awake || !open()) co_return false;
    const auto step = tls_->push();
    if (step != Step::wait_write) co_return step == Step::done;
    if (left - tls_->unsent.size() < pace_bytes) continue;
    left = tls_->unsent.size();
    deadline_in(stall);
  }
}

net::awaitable<Result<std::uint64_t>> Stream::copy_file(FilePart part, PageReader* reader,
                                                        std::chrono::milliseconds stall) {
  FileWindows windows(part, reader);
  std::uint64_t done = 0;
  std::uint64_t turn = 0;
  while (done < part.length) {
    const auto at = part.offset + done;
    if (windows.is_cold(at)) {
      no_deadline();
      const auto brought = co_await windows.bring();
      if (!brought) co_return brought.error();
    }
    if (!open()) co_return broken("TLS write");
    const auto copied = tls_->copy(part.file->get(), at, windows.ready(at));
    if (copied.got < 0) co_return unreadable(std::strerror(copied.error));
    if (copied.got == 0) co_return unreadable(shorter);
    deadline_in(stall);
    bool left = copied.step == Step::done;
    if (copied.step == Step::wait_write) left = co_await push_out(stall);
    if (!left) co_return broken("TLS write: " + tls_errors());
    done += static_cast<std::uint64_t>(copied.got);
    turn += static_cast<std::uint64_t>(copied.got);
    if (turn >= turn_bytes) {
      turn = 0;
      co_await net::post(socket_.get_executor(), net::use_awaitable);
    }
  }
  co_return done;
}

}  // namespace archway::proxy
